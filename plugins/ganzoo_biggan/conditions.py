"""The class of an image: by number, by name, or as a mixture of classes."""

import difflib
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ganzoo.errors import ConfigError, InvalidValueError, UnknownNameError
from ganzoo.models import ImageGenerator, ImageSamples
from ganzoo.nn import class_indices

Classes = Tensor | int | str | Sequence[int] | Sequence[str] | None


class ClassGenerator(ImageGenerator):
    """What the generators of this family share: classes in all their spellings, and what becomes of them.

    Attributes:
        class_names: Names of the classes in the order of their numbers, or none.
        latent_size: Entries of ``z``.
    """

    class_names: tuple[str, ...] = ()
    latent_size: int
    _output_shape: tuple[int, ...]

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """``(latent_size,)``."""
        return (self.latent_size,)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """``(channels, H, W)``."""
        return self._output_shape

    @abstractmethod
    def embed(self, c: Tensor | int | None, z: Tensor) -> Tensor:
        """What `from_embedding` takes of the classes ``c`` of latents ``z``.

        Raises:
            InvalidValueError: a class is missing or is none of the network's.
        """

    @abstractmethod
    def from_embedding(self, z: Tensor, y: Tensor) -> Tensor:
        """Images of latents ``z [N, latent_size]`` and what `embed` makes of classes; between two classes its average, say."""

    def forward(self, z: Tensor, c: Tensor | int | None = None) -> Tensor:
        """Images ``[N, channels, H, W]`` of latents.

        Args:
            z: Latents ``[N, latent_size]``.
            c: Class of each image ``[N]``, or one for all, or a mixture ``[N, num_classes]``; not used where unconditional.

        Raises:
            InvalidValueError: a class is missing or is none of the network's.
        """
        return self.from_embedding(z, self.embed(c, z))

    def set_classes(self, num_classes: int, names: Sequence[str] | None) -> None:
        """Takes the constructor's arguments.

        Raises:
            ConfigError: there is not one name for each class.
        """
        self.num_classes, self.class_names = num_classes, tuple(names or ())
        if num_classes < 0 or (self.class_names and len(self.class_names) != num_classes):
            raise ConfigError(f"There are {len(self.class_names)} class_names for {num_classes} classes.")

    def classes(self, c: Classes) -> Tensor | int | None:
        """``c`` with numbers for names.

        Args:
            c: Numbers or names, one or several, or a mixture of classes ``[N, num_classes]``.

        Raises:
            UnknownNameError: there is no class of that name; the closest ones are named.
        """
        if isinstance(c, str):
            return self._number(c)
        if c is None or isinstance(c, Tensor | int):
            return c
        return torch.tensor([self._number(item) if isinstance(item, str) else item for item in c], dtype=torch.int64)

    def sample(self, n: int = 1, **options: Any) -> ImageSamples:
        """As in `Generator`, whose arguments it takes.

        The class ``c`` is a number, a name, a list of them with one for each image, or a mixture ``[N, num_classes]``.

        Raises:
            InvalidValueError: an argument that cannot be used.
            UnknownNameError: a class of a name that there is not.
        """
        if "c" in options:
            options["c"] = self.classes(options["c"])
        return super().sample(n, **options)

    def _number(self, name: str) -> int:
        if name not in self.class_names:
            hint = None if self.class_names else "This model knows its classes by number only."
            raise UnknownNameError("class", name, difflib.get_close_matches(name, self.class_names), hint=hint)
        return self.class_names.index(name)


def indices_or_mixture(c: Tensor | int | None, num_classes: int, batch: Tensor) -> Tensor:
    """The classes as indices ``[N]``, or as the mixture ``[N, num_classes]`` that is given, on the device of ``batch``.

    Raises:
        InvalidValueError: a class is missing or out of range, or a mixture has another shape.
    """
    if not (isinstance(c, Tensor) and c.is_floating_point()):
        return class_indices(c, num_classes, batch)
    if c.dim() != 2 or c.shape[1] != num_classes or c.shape[0] not in (1, len(batch)):
        raise InvalidValueError(
            f"A mixture of classes has a share of each, [{len(batch)}, {num_classes}], not {list(c.shape)}.",
            hint="For single classes give whole numbers.",
        )
    return c.to(batch).expand(len(batch), -1)


def class_vectors(table: nn.Embedding, c: Tensor | int | None, batch: Tensor) -> Tensor:
    """The embedding ``[N, size]`` of classes or mixtures.

    Raises:
        InvalidValueError: as `indices_or_mixture`.
    """
    chosen = indices_or_mixture(c, table.num_embeddings, batch)
    vectors: Tensor = chosen @ table.weight if chosen.is_floating_point() else table(chosen)
    return vectors

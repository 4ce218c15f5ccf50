"""The class of an image: by number, by name, or as a mixture of classes."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from ganzoo.errors import InvalidValueError
from ganzoo.models import ImageGenerator, ImageSamples, checked_names, class_numbers
from ganzoo.nn import class_indices


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
        self.num_classes, self.class_names = num_classes, checked_names(names, num_classes)

    def sample(self, n: int = 1, **options: Any) -> ImageSamples:
        """As in `Generator`, whose arguments it takes.

        The class ``c`` is a number, a name, a list of them with one for each image, or a mixture ``[N, num_classes]``.

        Raises:
            InvalidValueError: an argument that cannot be used.
            UnknownNameError: a class of a name that there is not.
        """
        if "c" in options:
            options["c"] = class_numbers(options["c"], self.class_names)
        return super().sample(n, **options)


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

"""The class of an image, or a mixture of classes, in the generator."""

from abc import abstractmethod

from torch import Tensor, nn

from ganzoo.models import ImageGenerator
from ganzoo.nn import class_indices, class_mixture


class ClassGenerator(ImageGenerator):
    """What the generators of this family share: what becomes of a class, or of a mixture of several.

    Attributes:
        latent_size: Entries of ``z``.
    """

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
            InvalidValueError: latents of another shape, or a class is missing or is none of the network's.
        """
        self.check_latents(z)
        return self.from_embedding(z, self.embed(c, z))


def class_vectors(table: nn.Embedding, c: Tensor | int | None, batch: Tensor) -> Tensor:
    """The embedding ``[N, size]`` of classes or mixtures.

    Raises:
        InvalidValueError: a class is missing or out of range, or a mixture has another shape.
    """
    mixture = class_mixture(c, table.num_embeddings, batch)
    vectors: Tensor = table(class_indices(c, table.num_embeddings, batch)) if mixture is None else mixture @ table.weight
    return vectors

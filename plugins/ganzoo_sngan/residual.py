"""What the residual networks of all variants have in common."""

from abc import abstractmethod
from collections.abc import Collection, Iterator, Sequence

import torch
from torch import Tensor, nn

from ganzoo.errors import ConfigError
from ganzoo.models import HeadedDiscriminator, ImageGenerator
from ganzoo.nn import Activation, ClassHead, Layers, SelfAttention
from ganzoo_sngan.blocks import UpBlock
from ganzoo_sngan.plans import Pyramid


class ResidualGenerator(ImageGenerator):
    """A linear layer to ``bottom x bottom`` pixels, blocks that double them, attention between, a last convolution."""

    def _assemble(
        self,
        latent_size: int,
        channels: int,
        plan: Pyramid,
        blocks: Sequence[UpBlock],
        attention: Collection[int],
        *,
        layers: Layers,
        activation: Activation,
        norm_eps: float,
    ) -> None:
        size = plan.bottom << len(blocks)
        self._latent_shape, self._output_shape = (latent_size,), (channels, size, size)
        self.bottom, self.activation = plan.bottom, activation
        self.first = layers.linear(latent_size, plan.widths[0] * plan.bottom**2)
        self.blocks = nn.ModuleList(blocks)
        self.attention = attention_after(plan.widths[1:], attention, layers)
        self.norm = nn.BatchNorm2d(plan.widths[-1], eps=norm_eps)
        self.last = layers.convolution(plan.widths[-1], channels, 3, padding=1)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """``(latent_size,)``."""
        return self._latent_shape

    @property
    def output_shape(self) -> tuple[int, ...]:
        """``(channels, image_size, image_size)``."""
        return self._output_shape

    @abstractmethod
    def condition(self, c: Tensor | int | None, z: Tensor) -> Tensor | None:
        """What the blocks' normalisations are given of the classes ``c``; None where the network is unconditional.

        Raises:
            InvalidValueError: a class is missing or is none of the network's.
        """

    def pixels(self, x: Tensor) -> Tensor:
        """The last convolution's output as pixels in [-1, 1]."""
        return torch.tanh(x)

    def forward(self, z: Tensor, c: Tensor | int | None = None) -> Tensor:
        """Images ``[N, channels, image_size, image_size]`` of latents.

        Args:
            z: Latents ``[N, latent_size]``.
            c: Class of each image ``[N]``, or one for all; not used by an unconditional network.

        Raises:
            InvalidValueError: a conditional network is given no class, or one that it does not have.
        """
        condition = self.condition(c, z)
        x = self.first(z).view(len(z), -1, self.bottom, self.bottom)
        for number, block in enumerate(self.blocks, start=1):
            x = block(x, condition)
            if str(number) in self.attention:
                x = self.attention[str(number)](x)
        return self.pixels(self.last(self.activation(self.norm(x))))


class ResidualDiscriminator(HeadedDiscriminator):
    """Blocks that halve the pixels, attention between, an activation, the sum over all pixels, and a `ClassHead`."""

    def _assemble(
        self,
        widths: Sequence[int],
        blocks: Sequence[nn.Module],
        attention: Collection[int],
        *,
        head: ClassHead,
        layers: Layers,
        activation: Activation,
    ) -> None:
        self.blocks = nn.ModuleList(blocks)
        self.attention = attention_after(widths, attention, layers)
        self.activation, self.head = activation, head
        self.num_classes = head.num_classes

    def features(self, x: Tensor) -> Tensor:
        """Sum-pooled features ``[N, F]`` of images ``[N, channels, H, W]`` in [-1, 1]."""
        for part in self._body():
            x = part(x)
        return self.activation(x).sum(dim=(2, 3))

    def layers_from_input(self) -> list[nn.Module]:
        """Block by block, each with the attention after it, and the head at the end."""
        modules = (module for part in (*self._body(), self.head) for module in part.modules())
        return [module for module in modules if next(module.parameters(recurse=False), None) is not None]

    def _body(self) -> Iterator[nn.Module]:
        for number, block in enumerate(self.blocks, start=1):
            yield block
            if str(number) in self.attention:
                yield self.attention[str(number)]


def attention_after(widths: Sequence[int], places: Collection[int], layers: Layers) -> nn.ModuleDict:
    """Self attention by the number of the block, counted from one, that it stands after.

    Raises:
        ConfigError: there is no such block, or it has fewer than eight channels.
    """
    for place in places:
        if not 1 <= place <= len(widths):
            raise ConfigError(f"Attention stands after one of the blocks 1 to {len(widths)}, not {place}.")
    made = {str(place): SelfAttention(widths[place - 1], convolution=layers.convolution) for place in sorted(set(places))}
    return nn.ModuleDict(made)

"""Layers whose weight is prepared once for many forward passes, and convolutions in their fastest form on a CPU.

Before a layer uses its weight, something may be computed from it: the division by its largest singular value, another order of
its axes. While nobody asks for gradients and the weight stays as it is, that is done once and kept; in training, and under a
compiler, it happens in every pass, as the formulas say. Nothing has to be switched: a network that is trained, loaded or moved
again uses its new weights.
"""

import weakref
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganzoo.errors import ConfigError
from ganzoo.nn.layers import Factory, Layers
from ganzoo.nn.recording import recorded
from ganzoo.nn.spectral import (
    RecomputedSpectralConv2d,
    RecomputedSpectralLinear,
    RecomputedSpectralNorm,
    SpectralConv2d,
    SpectralLinear,
    SpectralNorm,
)

Form = Callable[[Tensor], Tensor]
FEW_IMAGES = 16  # below, and with one thread, PyTorch leaves 1x1 convolutions to a slower library
MANY_PIXELS = 256  # below, reading a kernel costs more than the products that a larger one saves


class Kept:
    """A tensor computed from others, computed again when one of those is another one or has changed.

    A change is seen by its version counter and address: only writing through ``tensor.data`` goes unnoticed; `clear` after it.
    """

    def __init__(self) -> None:
        self._known: tuple[Any, list[weakref.ref[Tensor]], Tensor] | None = None

    def __reduce__(self) -> tuple[type["Kept"], tuple[()]]:
        return Kept, ()  # copies and pickles of a layer begin with nothing

    def clear(self) -> None:
        """Forgets the tensor."""
        self._known = None

    def get(self, sources: Sequence[Tensor], form: Form | None, compute: Callable[[], Tensor]) -> Tensor:
        """What ``compute`` makes of ``sources``, without a gradient; ``form`` tells one computation from another."""
        if any(source.is_inference() for source in sources):  # they have no version counter
            return compute()
        stamp = (form, [(s._version, s.data_ptr(), s.dtype, s.device) for s in sources])
        known = self._known
        if known is not None and known[0] == stamp and all(ref() is s for ref, s in zip(known[1], sources, strict=True)):
            return known[2]
        # A tensor made in inference mode could not be used where a gradient goes through later.
        with torch.inference_mode(mode=False), torch.no_grad():
            value = compute()
        self._known = stamp, [weakref.ref(source) for source in sources], value
        return value


class Folded(nn.Module):
    """Mixed into a layer with a ``weight``, spectrally normalised or not."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kept = Kept()

    def train(self, mode: bool = True) -> "Folded":
        """As in `torch.nn.Module`; what is kept for evaluation gives its memory back."""
        if mode:
            self.kept.clear()
        super().train(mode)
        return self

    def folded_weight(self, form: Form | None = None) -> Tensor:
        """The weight as the layer uses it, then through ``form``; kept where no gradient is wanted."""
        sources = self._sources()
        wants_gradient = torch.is_grad_enabled() and any(source.requires_grad for source in sources)
        if self.training or wants_gradient or torch.compiler.is_compiling():
            return self._formed(form)
        return self.kept.get(sources, form, lambda: self._formed(form))

    def _sources(self) -> list[Tensor]:
        if not isinstance(self, SpectralNorm):
            return [self.weight]  # type: ignore[list-item]  # of the layer that this is mixed into
        vectors = [self.weight_u] if isinstance(self, RecomputedSpectralNorm) else [self.weight_u, self.weight_v]
        return [self.weight_orig, *vectors]

    def _formed(self, form: Form | None) -> Tensor:
        weight = self.normalised_weight() if isinstance(self, SpectralNorm) else self.weight
        assert isinstance(weight, Tensor)
        return weight if form is None else form(weight)


class FoldedLinear(Folded, nn.Linear):
    """`torch.nn.Linear`. Arguments as there."""

    def forward(self, x: Tensor) -> Tensor:
        """``[..., in_features]`` to ``[..., out_features]``."""
        return F.linear(x, self.folded_weight(), self.bias)


class FoldedSpectralLinear(FoldedLinear, SpectralLinear):
    """`FoldedLinear` with `SpectralNorm`."""


class FoldedRecomputedLinear(FoldedLinear, RecomputedSpectralLinear):
    """`FoldedLinear` with `RecomputedSpectralNorm`."""


class FoldedConv2d(Folded, nn.Conv2d):
    """`torch.nn.Conv2d` of stride one. Arguments as there, and:

    Args:
        outputs: Compute only so many output channels, the first ones; None: all.
        doubles: Repeat every pixel two by two before the convolution, which has 3x3 pixels then.

    Raises:
        ConfigError: it doubles and has another size or padding.
    """

    def __init__(self, *args: Any, outputs: int | None = None, doubles: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if doubles and (self.kernel_size != (3, 3) or self.padding != (1, 1)):
            raise ConfigError("A convolution of repeated pixels has 3x3 pixels and a padding of one.")
        self.outputs, self.doubles = outputs, doubles

    def forward(self, x: Tensor, gain: Tensor | None = None, shift: Tensor | None = None) -> Tensor:
        """``[N, C, H, W]`` to ``[N, C', H, W]``, or to ``[N, C', 2H, 2W]``.

        Args:
            x: The input.
            gain: ``[C']``: multiplies the channels of the result. None, too, for no ``shift``.
            shift: ``[C']``: is added to them then.
        """
        bias = self.bias if self.bias is None or self.outputs is None else self.bias[: self.outputs]
        if gain is not None and shift is not None:
            bias = shift if bias is None else torch.addcmul(shift, bias, gain)
        # A compiler's graph is for any number of images: it must not depend on how many there are.
        many = torch.compiler.is_compiling() or x[:, 0].numel() >= MANY_PIXELS
        if self.doubles and many and x.device.type == "cpu":
            weight = self._weight(x, doubling_kernel)
            weight = weight if gain is None else weight * gain[:, None, None]
            return F.conv_transpose2d(x, weight, bias, stride=2, padding=1)
        weight = self._weight(x, in_memory_order)
        weight = weight if gain is None else weight * gain[:, None, None, None]
        x = F.interpolate(x, scale_factor=2, mode="nearest") if self.doubles else x
        return convolve(x, weight, bias, self.padding)

    def scales_cheaply(self, x: Tensor) -> bool:
        """Whether to multiply the result of ``x`` in the weight: that of a single image, where the weight is smaller."""
        if x.shape[0] > 1 or recorded(x, *self.parameters(recurse=False)):
            return False
        pixels = x[0, 0].numel() * (4 if self.doubles else 1)
        return pixels > self.in_channels * self.kernel_size[0] * self.kernel_size[1]

    def _weight(self, x: Tensor, form: Form | None) -> Tensor:
        weight = self.folded_weight(form if x.device.type == "cpu" else None)
        return weight if self.outputs is None else weight.narrow(1 if form is doubling_kernel else 0, 0, self.outputs)


class FoldedSpectralConv2d(FoldedConv2d, SpectralConv2d):
    """`FoldedConv2d` with `SpectralNorm`."""


class FoldedRecomputedConv2d(FoldedConv2d, RecomputedSpectralConv2d):
    """`FoldedConv2d` with `RecomputedSpectralNorm`."""


class FoldedLayers(Layers):
    """`Layers` whose convolutions and linear layers are folded. Arguments as there.

    Raises:
        ConfigError: no normalisation of that name.
    """

    def __init__(self, spectral_norm: str = "none", *, eps: float = 1e-12) -> None:
        super().__init__(spectral_norm, eps=eps)
        kinds: dict[str, tuple[Factory, Factory]] = {
            "stored": (partial(FoldedSpectralConv2d, eps=eps), partial(FoldedSpectralLinear, eps=eps)),
            "recomputed": (partial(FoldedRecomputedConv2d, eps=eps), partial(FoldedRecomputedLinear, eps=eps)),
        }
        self.convolution, self.linear = kinds.get(spectral_norm, (FoldedConv2d, FoldedLinear))


def doubling_kernel(weight: Tensor) -> Tensor:
    """From the kernel of a 3x3 convolution of repeated pixels to that of the equal transposed convolution of the pixels.

    Of the three rows that a kernel meets two show the same pixel, so two of its rows are summed: the first two for one half of
    the output, the last two for the other; likewise the columns. Sixteen products remain of thirty-six.

    Args:
        weight: ``[C', C, 3, 3]``.

    Returns:
        ``[C, C', 4, 4]``, for a stride of two and a padding of one.
    """
    first, middle, last = weight.unbind(2)
    rows = torch.stack([last, middle + last, first + middle, first], dim=2)
    first, middle, last = rows.unbind(3)
    return in_memory_order(torch.stack([last, middle + last, first + middle, first], dim=3).transpose(0, 1))


def in_memory_order(weight: Tensor) -> Tensor:
    """``weight`` with the channels innermost in memory, as convolutions of such images want it."""
    return weight.contiguous(memory_format=torch.channels_last)


def channels_innermost(x: Tensor) -> Tensor:
    """``x [N, C, H, W]`` with its channels innermost in memory on a CPU, where convolutions are faster so."""
    return x.contiguous(memory_format=torch.channels_last) if x.device.type == "cpu" else x


def convolve(x: Tensor, weight: Tensor, bias: Tensor | None = None, padding: tuple[int, ...] | str = (0, 0)) -> Tensor:
    """`torch.nn.functional.conv2d` of stride one."""
    count, channels, height, width = x.shape
    pointwise = weight.shape[2:] == (1, 1) and padding == (0, 0)
    usual = torch.compiler.is_compiling() or x.device.type != "cpu"
    if usual or not (pointwise and count < FEW_IMAGES <= count * height):
        return F.conv2d(x, weight, bias, padding=padding)
    # A convolution of single pixels may take rows for images: as many images, it goes to the faster library.
    rows = x.permute(0, 2, 3, 1).reshape(count * height, 1, width, channels).permute(0, 3, 1, 2)
    made = F.conv2d(rows, weight, bias).permute(0, 2, 3, 1)
    return made.reshape(count, height, width, -1).permute(0, 3, 1, 2)

"""Layers with an equalised learning rate (Karras et al. 2018, sec. 4.1), and the blur next to a change of resolution."""

import math
from collections.abc import Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganzoo.errors import ConfigError
from ganzoo.nn.folding import Folded, Form, doubling_kernel, in_memory_order

SLOPE = 0.2  # of the leaky ReLU below zero
GAIN = math.sqrt(2)  # what He's initialisation gives to a layer in front of it; the activation itself has no gain


class Equalised(Folded, nn.Module):
    """A weight that is stored with unit variance and multiplied by the constant of He's initialisation when it is used.

    Args:
        shape: Of the weight, output channels first.
        biases: How many; 0 for none.
        gain: `GAIN` in front of an activation, else 1.
        lr_multiplier: Multiplies weight and bias, which are initialised larger by as much: Adam moves them slower.
        equalised: False stores the weight with the variance that it is used with.

    Raises:
        ConfigError: a multiplier that is not above 0.
    """

    def __init__(
        self, shape: Sequence[int], biases: int, *, gain: float = GAIN, lr_multiplier: float = 1.0, equalised: bool = True
    ) -> None:
        super().__init__()
        std = gain / math.sqrt(math.prod(shape[1:]))
        if not lr_multiplier > 0:
            raise ConfigError(f"A learning rate multiplier is a number above 0, not {lr_multiplier}.")
        self.scale, self.bias_scale = (std if equalised else 1.0) * lr_multiplier, lr_multiplier
        self.form: Form = partial(scaled, scale=self.scale)
        self.weight = nn.Parameter(torch.empty(*shape))
        self.bias = nn.Parameter(torch.zeros(biases)) if biases else None
        nn.init.normal_(self.weight, 0.0, (1.0 if equalised else std) / lr_multiplier)

    def used_weight(self) -> Tensor:
        """The weight as it is used."""
        return self.folded_weight(self.form)

    def used_bias(self) -> Tensor | None:
        """The bias as it is used."""
        return self.bias if self.bias is None or self.bias_scale == 1 else self.bias * self.bias_scale


class EqualisedLinear(Equalised):
    """``[N, inputs]`` to ``[N, outputs]``; further arguments as for `Equalised`."""

    def __init__(
        self, inputs: int, outputs: int, *, gain: float = GAIN, lr_multiplier: float = 1.0, equalised: bool = True
    ) -> None:
        super().__init__((outputs, inputs), outputs, gain=gain, lr_multiplier=lr_multiplier, equalised=equalised)

    def forward(self, x: Tensor) -> Tensor:
        """The linear map."""
        return F.linear(x, self.used_weight(), self.used_bias())


class EqualisedConv2d(Equalised):
    """``[N, inputs, H, W]`` to ``[N, outputs, H, W]``; further arguments as for `Equalised`.

    Args:
        inputs: Channels of the input.
        outputs: Channels of the output.
        size: Pixels a side of the kernel, odd.
    """

    def __init__(self, inputs: int, outputs: int, size: int = 3, *, gain: float = GAIN, equalised: bool = True) -> None:
        super().__init__((outputs, inputs, size, size), outputs, gain=gain, equalised=equalised)

    def forward(self, x: Tensor) -> Tensor:
        """The convolution, zeros beyond the border."""
        return F.conv2d(x, self.used_weight(), self.used_bias(), padding=self.weight.shape[-1] // 2)


class UpConv2d(Equalised):
    """``[N, inputs, H, W]`` to ``[N, outputs, 2H, 2W]``: every pixel repeated two by two, a 3x3 convolution, a blur.

    Args:
        inputs: Channels of the input.
        outputs: Channels of the output.
        blur: Taps of the blur; one for none.
        turned: Use the kernel turned by 180 degrees. So does the transposed convolution that the authors call fused, with the
            same stored weight: the two ways are not the same function.
        blurred_bias: Add the bias before the blur, which makes it smaller at the border.
        equalised: As for `Equalised`.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        blur: Sequence[float],
        *,
        turned: bool,
        blurred_bias: bool = False,
        equalised: bool = True,
    ) -> None:
        super().__init__((outputs, inputs, 3, 3), outputs, equalised=equalised)
        self.form = partial(doubled, scale=self.scale, turned=turned)
        self.blur, self.blurred_bias = Blur(outputs, blur), blurred_bias

    def forward(self, x: Tensor) -> Tensor:
        """The blurred convolution."""
        early, late = (self.used_bias(), None) if self.blurred_bias else (None, self.used_bias())
        blurred: Tensor = self.blur(F.conv_transpose2d(x, self.used_weight(), early, stride=2, padding=1), late)
        return blurred


class DownConv2d(Equalised):
    """``[N, inputs, H, W]`` to ``[N, outputs, H/2, W/2]``: a blur, a 3x3 convolution, the mean of two by two pixels.

    Arguments as for `UpConv2d`.
    """

    def __init__(self, inputs: int, outputs: int, blur: Sequence[float], *, equalised: bool = True) -> None:
        super().__init__((outputs, inputs, 3, 3), outputs, equalised=equalised)
        self.form = partial(halved, scale=self.scale)
        self.blur = Blur(inputs, blur)

    def forward(self, x: Tensor) -> Tensor:
        """The convolution of the blurred image."""
        return F.conv2d(self.blur(x), self.used_weight(), self.used_bias(), stride=2, padding=1)


class Blur(nn.Module):
    """Filters each channel with the square of a line of taps of sum one, zeros beyond the border.

    Args:
        channels: How many; each has a kernel of its own in checkpoints.
        taps: An odd number; one tap is no filter.
    """

    kernel: Tensor

    def __init__(self, channels: int, taps: Sequence[float]) -> None:
        super().__init__()
        self.still = len(taps) == 1
        line = torch.tensor(taps) / sum(taps)
        if not self.still:
            self.register_buffer("kernel", torch.outer(line, line).repeat(channels, 1, 1, 1))

    def forward(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """``x [N, C, H, W]`` filtered, and ``bias [C]`` added."""
        if self.still:
            return x if bias is None else x + bias[:, None, None]
        return F.conv2d(x, self.kernel, bias, padding=self.kernel.shape[-1] // 2, groups=len(self.kernel))


# --- weights as they are used -----------------------------------------------------------------------------------------


def scaled(weight: Tensor, scale: float) -> Tensor:
    """``weight`` times ``scale``, that of a convolution in the order that it is fastest in."""
    return in_memory_order(weight * scale) if weight.ndim == 4 else weight * scale


def doubled(weight: Tensor, scale: float, turned: bool) -> Tensor:
    """The kernel of the transposed convolution that repeats pixels and convolves, with 16 products instead of 36."""
    return doubling_kernel((weight.flip(2, 3) if turned else weight) * scale)


def halved(weight: Tensor, scale: float) -> Tensor:
    """The kernel of the convolution with a stride of two that includes the mean of two by two pixels, 16 products again."""
    rows = F.pad(weight, (0, 0, 0, 1)) + F.pad(weight, (0, 0, 1, 0))
    return in_memory_order((F.pad(rows, (0, 1)) + F.pad(rows, (1, 0))) * (scale / 4))

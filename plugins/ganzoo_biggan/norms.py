"""Batch normalisation in parts: where mean and variance come from, and where gain and bias come from.

While the statistics are fixed, both parts make one scale and one shift for each channel.
"""

import math
from abc import ABC, abstractmethod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganzoo.errors import ConfigError, InvalidValueError
from ganzoo.nn import Layers
from ganzoo.nn.folding import FoldedConv2d
from ganzoo.nn.recording import recorded, watched

MOMENTUM = 0.1  # of the running statistics
STATISTICS = ("running", "counted", "standing")


class Statistics(nn.Module):
    """Mean and variance of each channel: those of the batch in training, stored ones in evaluation.

    Attributes:
        mean: ``[channels]``.
        var: ``[channels]``.
        momentum: Share of a batch in the stored statistics.
    """

    mean: Tensor
    var: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.momentum = MOMENTUM
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("var", torch.ones(channels))

    def stored(self, truncation: float) -> tuple[Tensor, Tensor]:
        """Mean and variance ``[channels]`` for evaluation; ``truncation`` matters to `TabulatedStatistics` only."""
        return self.mean, self.var

    def of_batch(self, x: Tensor, eps: float) -> Tensor:
        """``x`` normalised by its own statistics, which move the stored ones."""
        return F.batch_norm(x, self.mean, self.var, None, None, True, self.momentum, eps)


class CountedStatistics(Statistics):
    """Statistics that may be sums over several batches, as BigGAN-PyTorch's own batch normalisation accumulates them.

    Args:
        channels: How many.
        standing: Divide the stored values by their count, the sums' number of terms; otherwise take them as they are.
    """

    count: Tensor

    def __init__(self, channels: int, *, standing: bool) -> None:
        super().__init__(channels)
        self.standing = standing
        self.register_buffer("count", torch.full((1,), float(standing)))

    def stored(self, truncation: float) -> tuple[Tensor, Tensor]:
        """As in `Statistics`."""
        return (self.mean / self.count, self.var / self.count) if self.standing else (self.mean, self.var)

    def of_batch(self, x: Tensor, eps: float) -> Tensor:
        """As in `Statistics`; sums become averages first, since a moving one cannot be added to."""
        if self.standing:
            with torch.no_grad():
                self.mean, self.var, self.count = self.mean / self.count, self.var / self.count, torch.ones_like(self.count)
        return super().of_batch(x, eps)


class TabulatedStatistics(nn.Module):
    """Statistics for each of several truncations from 0 to 1, in equal steps, interpolated between them. Never changed.

    Args:
        channels: How many.
        rows: Truncations in the table.
        exact: Interpolate rightly. The reference gives each of two neighbours the weight of the other one, and finds a row by a
            division whose rounding misses some of them; the published weights are used with that, and so it is the default.
    """

    means: Tensor
    variances: Tensor

    def __init__(self, channels: int, rows: int, *, exact: bool) -> None:
        super().__init__()
        if rows < 2:
            raise ConfigError(f"A table of statistics has at least two rows, not {rows}.")
        self.rows, self.exact = rows, exact
        self.register_buffer("means", torch.zeros(rows, channels))
        self.register_buffer("variances", torch.ones(rows, channels))

    def stored(self, truncation: float) -> tuple[Tensor, Tensor]:
        """Mean and variance ``[channels]``.

        Raises:
            InvalidValueError: a truncation that the table has not.
        """
        row, share = table_place(truncation, self.rows, exact=self.exact)
        if not share:
            return self.means[row], self.variances[row]
        weight = share if self.exact else 1 - share
        mean, var = (torch.lerp(table[row], table[row + 1], weight) for table in (self.means, self.variances))
        return mean, var


def table_place(truncation: float, rows: int, *, exact: bool) -> tuple[int, float]:
    """The row of a table for truncations from 0 to 1, and how far on the way to the next row the truncation is.

    Raises:
        InvalidValueError: a truncation that is no number from 0 to 1.
    """
    check_truncation(truncation)
    place = truncation * (rows - 1) if exact else truncation / (1.0 / (rows - 1))
    if exact and math.isclose(place, round(place), abs_tol=1e-9):
        place = round(place)
    row = min(int(place), rows - 1)
    return row, place - row if row < rows - 1 else 0.0


def check_truncation(truncation: float) -> None:
    """Makes sure that there are statistics for ``truncation``.

    Raises:
        InvalidValueError: it is no number from 0 to 1.
    """
    if not isinstance(truncation, int | float) or not 0 <= truncation <= 1:
        raise InvalidValueError(f"This model has statistics for truncations from 0 to 1, not for {truncation!r}.")


class Normalisation(nn.Module, ABC):
    """Batch normalisation and the rectifier that always follows it; subclasses say where gain and bias come from.

    Args:
        statistics: Where mean and variance come from.
        eps: Added to the variance.
    """

    def __init__(self, statistics: Statistics | TabulatedStatistics, eps: float) -> None:
        super().__init__()
        self.statistics, self.eps = statistics, eps

    @abstractmethod
    def gain_and_bias(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """Both ``[N, channels]`` or ``[1, channels]``, from what the network is conditioned on."""

    @property
    def of_batch(self) -> bool:
        """Whether it normalises by the statistics of what it is given, all of which it has to see at once then."""
        return isinstance(self.statistics, Statistics) and self.statistics.training

    def forward(self, x: Tensor, y: Tensor, truncation: float = 1.0, *, inplace: bool = False) -> Tensor:
        """``x [N, channels, H, W]`` normalised and rectified, given ``y``, the condition of each.

        Args:
            x: The input.
            y: The condition of each.
            truncation: Which statistics to use, where there are several.
            inplace: ``x`` is no longer needed: its memory may be used for the result where nothing is recorded.
        """
        gain, bias = self.gain_and_bias(y)
        if isinstance(self.statistics, Statistics) and self.statistics.training:
            x = self.statistics.of_batch(x, self.eps)
        else:
            gain, bias = self._with_statistics(gain, bias, truncation)
        out = x if inplace and not recorded(x, gain, bias) else None
        return torch.addcmul(bias[:, :, None, None], x, gain[:, :, None, None], out=out).relu_()

    def after(self, convolution: nn.Module, x: Tensor, y: Tensor, truncation: float = 1.0) -> Tensor:
        """`forward` of what ``convolution`` makes of ``x``; where that is cheaper, the convolution multiplies already."""
        cheaply = isinstance(convolution, FoldedConv2d) and convolution.scales_cheaply(x)
        if self.of_batch or not cheaply or recorded(y, *self.parameters()) or watched(self, convolution):
            return torch.as_tensor(self(convolution(x), y, truncation, inplace=True))
        gain, bias = self._with_statistics(*self.gain_and_bias(y), truncation)
        result: Tensor = convolution(x, gain[0], bias[0])
        return result.relu_()

    def _with_statistics(self, gain: Tensor, bias: Tensor, truncation: float) -> tuple[Tensor, Tensor]:
        """The normalisation by the stored statistics, then ``gain`` and ``bias``, as one gain and one bias."""
        mean, var = self.statistics.stored(truncation)
        gain = gain * torch.rsqrt(var + self.eps)
        return gain, torch.addcmul(bias, gain, mean, value=-1)


class VectorNormalisation(Normalisation):
    """Gain ``1 + A y`` and bias ``B y`` of a condition vector ``y [N, size]`` (de Vries et al. 2017).

    Args:
        channels: Of the input.
        size: Entries of ``y``.
        statistics: As for `Normalisation`.
        eps: As for `Normalisation`.
        layers: Makes the two linear layers.
    """

    def __init__(
        self, channels: int, size: int, statistics: Statistics | TabulatedStatistics, *, eps: float, layers: Layers
    ) -> None:
        super().__init__(statistics, eps)
        self.gain = layers.linear(size, channels, bias=False)
        self.bias = layers.linear(size, channels, bias=False)

    def gain_and_bias(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """As in `Normalisation`."""
        return 1 + self.gain(y), self.bias(y)


class ClassNormalisation(Normalisation):
    """Gain ``1 + a`` and bias ``b`` learnt for each class ``y [N]``, without spectral normalisation.

    Args:
        channels: Of the input.
        num_classes: How many classes.
        statistics: As for `Normalisation`.
        eps: As for `Normalisation`.
    """

    def __init__(self, channels: int, num_classes: int, statistics: Statistics, *, eps: float) -> None:
        super().__init__(statistics, eps)
        self.gain = nn.Embedding(num_classes, channels)
        self.bias = nn.Embedding(num_classes, channels)

    def gain_and_bias(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """As in `Normalisation`. ``y`` may be a mixture ``[N, num_classes]``."""
        if y.is_floating_point():
            return 1 + y @ self.gain.weight, y @ self.bias.weight
        return 1 + self.gain(y), self.bias(y)


class PlainNormalisation(Normalisation):
    """Gain and bias learnt for all alike.

    Args:
        channels: Of the input.
        statistics: As for `Normalisation`.
        eps: As for `Normalisation`.
    """

    def __init__(self, channels: int, statistics: Statistics | TabulatedStatistics, *, eps: float) -> None:
        super().__init__(statistics, eps)
        self.gain, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def gain_and_bias(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """As in `Normalisation`, whatever ``y`` is."""
        return self.gain[None], self.bias[None]


def statistics_named(name: str, channels: int) -> Statistics:
    """The statistics that the argument ``statistics`` of the generators names.

    Raises:
        ConfigError: none of that name.
    """
    if name not in STATISTICS:
        raise ConfigError(f"There are no statistics '{name}'.", hint=f"Use {', '.join(STATISTICS)}.")
    return Statistics(channels) if name == "running" else CountedStatistics(channels, standing=name == "standing")

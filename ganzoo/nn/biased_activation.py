"""Bias, activation, gain and clamp in one (Karras et al. 2020b, sec. 2; 2021, sec. 3.2)."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from ganzoo.errors import ConfigError, InvalidValueError
from ganzoo.nn.recording import recorded


@dataclass(frozen=True)
class _Kind:
    function: Callable[[Tensor, float], Tensor]
    alpha: float = 0.0  # unless told otherwise
    gain: float = 1.0  # keeps the variance, roughly
    inplace: Callable[[Tensor, float], Tensor] | None = None  # the same, overwriting its argument
    homogeneous: bool = False  # a positive factor may as well come first


_ROOT2 = math.sqrt(2)
BIAS_ACTIVATIONS: dict[str, _Kind] = {
    "linear": _Kind(lambda x, _: x, inplace=lambda x, _: x, homogeneous=True),
    "relu": _Kind(lambda x, _: F.relu(x), gain=_ROOT2, inplace=lambda x, _: x.relu_(), homogeneous=True),
    "lrelu": _Kind(F.leaky_relu, alpha=0.2, gain=_ROOT2, inplace=partial(F.leaky_relu, inplace=True), homogeneous=True),
    "tanh": _Kind(lambda x, _: torch.tanh(x)),
    "sigmoid": _Kind(lambda x, _: torch.sigmoid(x)),
    "elu": _Kind(lambda x, _: F.elu(x)),
    "selu": _Kind(lambda x, _: F.selu(x)),
    "softplus": _Kind(lambda x, _: F.softplus(x)),
    "swish": _Kind(lambda x, _: torch.sigmoid(x) * x, gain=_ROOT2),
}


def bias_act(
    x: Tensor,
    b: Tensor | None = None,
    *,
    dim: int = 1,
    act: str = "linear",
    alpha: float | None = None,
    gain: float | None = None,
    clamp: float | None = None,
    inplace: bool = False,
) -> Tensor:
    """``clamp(gain * act(x + b))``.

    Args:
        x: Any shape.
        b: ``[x.shape[dim]]``; None adds nothing.
        dim: The dimension of ``x`` that the bias belongs to.
        act: ``linear``, ``relu``, ``lrelu``, ``tanh``, ``sigmoid``, ``elu``, ``selu``, ``softplus`` or ``swish``.
        alpha: Slope of ``lrelu`` below zero; None means 0.2. The other activations have none.
        gain: Multiplies the activation; None means sqrt(2) for ``relu``, ``lrelu`` and ``swish``, and 1 for the others.
        clamp: The result is kept in ``[-clamp, clamp]``, after the gain; None does not limit it.
        inplace: ``x`` is no longer needed: its memory may be used for the result where nothing is recorded.

    Returns:
        The shape of ``x``.

    Raises:
        ConfigError: no activation of that name.
        InvalidValueError: a bias that does not fit ``x``, or a clamp below zero.
    """
    kind = BIAS_ACTIVATIONS.get(act)
    if kind is None:
        raise ConfigError(f"There is no activation '{act}'.", hint=f"Use {', '.join(BIAS_ACTIVATIONS)}.")
    check_clamp(clamp)
    alpha, gain = kind.alpha if alpha is None else alpha, kind.gain if gain is None else gain
    if b is not None:
        if b.ndim != 1 or not -x.ndim <= dim < x.ndim or len(b) != x.shape[dim]:
            raise InvalidValueError(f"A bias of shape {list(b.shape)} does not fit dimension {dim} of {list(x.shape)}.")
        shape = [1] * x.ndim
        shape[dim] = -1
        b = b.to(x.dtype).view(shape)
    if recorded(x, b) or not x.is_floating_point():
        y = kind.function(x if b is None else x + b, alpha)
        y = y if gain == 1 else y * gain
        return y if clamp is None else y.clamp(-clamp, clamp)
    return _overwriting(x, b, kind, alpha, gain, clamp, inplace)


def _overwriting(
    x: Tensor, b: Tensor | None, kind: _Kind, alpha: float, gain: float, clamp: float | None, inplace: bool
) -> Tensor:
    """`bias_act` that makes one tensor at most of kinds that can be computed in place."""
    early = gain if kind.homogeneous and gain > 0 else 1.0  # one pass instead of two
    out = x if inplace else None
    if b is not None:
        y = torch.add(b * early, x, alpha=early, out=out)
    else:
        y = torch.mul(x, early, out=out) if early != 1 or not inplace else x
    y = kind.inplace(y, alpha) if kind.inplace else kind.function(y, alpha)
    y = y if gain == early else y.mul_(gain)
    return y if clamp is None else y.clamp_(-clamp, clamp)


def check_clamp(clamp: float | None) -> None:
    """Says what is wrong with a clamp.

    Raises:
        InvalidValueError: below zero, or not a number.
    """
    if clamp is not None and not clamp >= 0:
        raise InvalidValueError(f"'clamp' is {clamp}.", hint="Give a number of at least 0, or None for no limit.")

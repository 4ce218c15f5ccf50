"""The last layer and its cross-entropy in one go, a block of rows at a time, so that the logits never leave the cache."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from ganzoo.text.sequences import rows_at_once

_SMALL = 1e-30  # a probability below loses digits


def linear_cross_entropy(
    hidden: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor, weights: Tensor, chunk: int | None = None
) -> Tensor:
    """``sum_m weights_m * -log softmax(weight @ hidden_m + bias)[targets_m]``, a scalar.

    It equals ``(weights * F.cross_entropy(F.linear(hidden, weight, bias), targets, reduction="none")).sum()``. The gradients
    are taken while a block's logits are there: that the weights are known in advance makes one pass enough, where losses that
    are weighted afterwards would need the logits twice. Rows of weight 0 cost nothing. Everything is in the dtype of
    ``weight``, under autocast too.

    Args:
        hidden: ``[M, H]``.
        weight: ``[V, H]``.
        bias: ``[V]`` or None.
        targets: int64 ``[M]``, in ``[0, V)``.
        weights: ``[M]``. No gradient is taken with respect to them.
        chunk: Rows a block; what fits the cache unless given.
    """
    rows = rows_at_once(len(weight), hidden.device) if chunk is None else chunk
    factors = weights.detach().to(weight.dtype)
    counting = factors.nonzero()[:, 0]
    if len(counting) < len(factors):
        hidden, targets, factors = hidden[counting], targets[counting], factors[counting]
    with torch.autocast(hidden.device.type, enabled=False):
        total: Tensor = _LinearCrossEntropy.apply(hidden.to(weight.dtype), weight, bias, targets, factors, rows)
    return total


class _LinearCrossEntropy(torch.autograd.Function):
    """The gradients for a gradient of 1 are made forward; backward scales them."""

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor, factors: Tensor, rows: int
    ) -> Tensor:
        wanted = ctx.needs_input_grad
        scaled, d_hidden = hidden * factors[:, None], torch.empty_like(hidden)
        d_weight = torch.zeros_like(weight) if wanted[1] else None
        d_bias = torch.zeros_like(bias) if bias is not None and wanted[2] else None
        chosen = hidden.new_empty(len(hidden), 1)  # probabilities of the targets
        logits, p = hidden.new_empty(2, min(rows, len(hidden)), len(weight))
        blocks = (torch.split(t, rows) for t in (hidden, targets[:, None], factors, scaled, d_hidden, chosen))
        for hidden_b, targets_b, factors_b, scaled_b, d_hidden_b, chosen_b in zip(*blocks, strict=True):
            if len(hidden_b) < len(p):
                logits, p = logits[: len(hidden_b)], p[: len(hidden_b)]
            _linear(hidden_b, weight, bias, logits)
            torch.softmax(logits, 1, out=p)
            torch.gather(p, 1, targets_b, out=chosen_b)
            if wanted[0]:
                torch.mm(p, weight, out=d_hidden_b)
            if d_weight is not None:
                d_weight.addmm_(p.t(), scaled_b)
            if d_bias is not None:
                d_bias.addmv_(p.t(), factors_b)
        # The targets' part comes last: small probabilities added to it one by one would lose their digits.
        if d_weight is not None:
            d_weight.index_add_(0, targets, scaled, alpha=-1)
        if d_bias is not None:
            d_bias.index_add_(0, targets, factors, alpha=-1)
        ctx.gradients = (d_hidden.sub_(weight[targets]).mul_(factors[:, None]) if wanted[0] else None, d_weight, d_bias)
        return factors @ _losses(chosen[:, 0], hidden, weight, bias, targets)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        # Copies: the graph may be run through again when it is retained.
        return (*(None if known is None else known * gradient for known in ctx.gradients), None, None, None)


def _linear(hidden: Tensor, weight: Tensor, bias: Tensor | None, out: Tensor) -> None:
    if bias is None:
        torch.mm(hidden, weight.t(), out=out)
    else:
        torch.addmm(bias, hidden, weight.t(), out=out)


def _losses(chosen: Tensor, hidden: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor) -> Tensor:
    """``-log`` of the targets' probabilities; anew from the logits where one is too small for its digits."""
    losses = -chosen.log()
    tiny = (chosen < _SMALL).nonzero()[:, 0]
    if len(tiny):
        logits = torch.nn.functional.linear(hidden[tiny], weight, bias)
        losses[tiny] = torch.nn.functional.cross_entropy(logits, targets[tiny], reduction="none")
    return losses

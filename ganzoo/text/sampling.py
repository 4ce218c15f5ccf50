"""Drawing tokens: one uniform number and the inverse of the distribution function give one token.

So a sentence is a function of its uniform numbers, and what is drawn does not depend on what else is in the batch.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ganzoo.errors import InvalidValueError
from ganzoo.text.sequences import rows_at_once

_SPAN = 128  # tokens a block of the distribution function


@dataclass(frozen=True)
class Restriction:
    """How logits are changed before tokens are drawn from them.

    Attributes:
        temperature: Logits are divided by it. Below 1 probable tokens gain, above 1 they lose.
        top_k: Only the so many most probable tokens remain, and those as probable as the last of these (Fan et al. 2018).
        top_p: Of these only the fewest whose probabilities add up to at least this (nucleus sampling, Holtzman et al. 2020,
            sec. 3.1).

    Raises:
        InvalidValueError: a value that cannot be used.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None

    def __post_init__(self) -> None:
        if not _is_number(self.temperature) or not 0 < self.temperature < math.inf:
            raise InvalidValueError(
                f"The temperature must be a number above 0, not {self.temperature!r}.",
                hint="For the most probable token each time, use top_k=1.",
            )
        if self.top_k is not None and (isinstance(self.top_k, bool) or not isinstance(self.top_k, int) or self.top_k < 1):
            raise InvalidValueError(f"top_k must be a whole number of at least 1, not {self.top_k!r}.")
        if self.top_p is not None and not (_is_number(self.top_p) and 0 < self.top_p <= 1):
            raise InvalidValueError(f"top_p must be above 0 and at most 1, not {self.top_p!r}.")

    def __call__(self, logits: Tensor) -> Tensor:
        """Logits ``[N, V]``; excluded tokens have minus infinity."""
        logits = heated(logits, self.temperature)
        if self.top_k is not None and self.top_k < logits.shape[1]:
            least = logits.topk(self.top_k, 1).values[:, -1:]
            logits = logits.masked_fill(logits < least, -math.inf)
        return logits if self.top_p is None or self.top_p == 1 else _nucleus(logits, self.top_p)


def heated(logits: Tensor, temperature: float) -> Tensor:
    """Logits ``[…, V]`` divided by a temperature above 0, up to a constant: the highest becomes 0.

    So nothing overflows: however low the temperature, the highest stays and the others become minus infinity at most.
    """
    if temperature == 1:
        return logits
    below = logits - logits.amax(-1, keepdim=True)
    return torch.where(below == 0, 0.0, below / temperature)  # a temperature may be too small for the dtype: 0 / 0


def restrict(logits: Tensor, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None) -> Tensor:
    """Logits ``[N, V]`` of the distribution that tokens are really drawn from; see `Restriction` for the arguments.

    Raises:
        InvalidValueError: a temperature that is not above 0, a ``top_k`` below 1, a ``top_p`` outside (0, 1].
    """
    return Restriction(temperature, top_k, top_p)(logits)


def draw(logits: Tensor, uniforms: Tensor) -> Tensor:
    """Tokens: the first ``v`` with ``p(0) + … + p(v) > u``.

    The sums are taken over blocks of the vocabulary first and inside one block then, which is faster than over all of it.

    Args:
        logits: ``[N, V]``.
        uniforms: Numbers in ``[0, 1)``, one for each row ``[N]`` or as many as tokens are wanted from each ``[N, K]``.

    Returns:
        int64, of the shape of ``uniforms``.

    Raises:
        InvalidValueError: logits that are not finite.
    """
    p = logits.softmax(1)
    vocab_size = p.shape[1]
    u = uniforms.to(p.dtype).view(len(p), -1)
    cdf = _block_sums(p).cumsum(1)
    total = cdf[:, -1:]
    if not total.isfinite().all():
        raise InvalidValueError("The logits are not finite.", hint="The weights may be damaged, or the training has diverged.")
    wanted = _below(u * total, total)
    block = torch.searchsorted(cdf, wanted, right=True)
    before = torch.where(block > 0, cdf.gather(1, (block - 1).clamp(min=0)), 0.0)
    ids = block[:, :, None] * _SPAN + torch.arange(_SPAN, device=p.device)
    inside = p.gather(1, ids.clamp(max=vocab_size - 1).flatten(1)).view(ids.shape)
    sums = torch.where(ids < vocab_size, inside, 0.0).cumsum(2)
    wanted = _below((wanted - before)[:, :, None], sums[:, :, -1:])
    return (block * _SPAN + torch.searchsorted(sums, wanted, right=True)[:, :, 0]).view(uniforms.shape)


def draw_tokens(hidden: Tensor, head: nn.Linear, uniforms: Tensor, restriction: Restriction | None = None) -> Tensor:
    """`draw` from the logits that ``head`` makes of ``hidden [N, H]``, a block of rows at a time."""
    rows = rows_at_once(head.out_features, hidden.device)
    drawn = torch.empty(uniforms.shape, dtype=torch.int64, device=hidden.device)
    for start in range(0, len(hidden), rows):
        part = slice(start, start + rows)
        logits = head(hidden[part])
        drawn[part] = draw(logits if restriction is None else restriction(logits), uniforms[part])
    return drawn


def _block_sums(p: Tensor) -> Tensor:
    """Probabilities ``[N, V]`` summed over spans of tokens; the last span may be shorter."""
    whole = p.shape[1] // _SPAN * _SPAN
    rest = [p[:, whole:].sum(1, keepdim=True)] if whole < p.shape[1] else []
    spans = [p[:, :whole].unfold(1, _SPAN, _SPAN).sum(2)] if whole else []
    return torch.cat(spans + rest, 1)


def _below(values: Tensor, limit: Tensor) -> Tensor:
    """``values``, kept below ``limit``, so that rounding never picks a token without probability."""
    return torch.minimum(values, torch.nextafter(limit, torch.zeros_like(limit)))


def _nucleus(logits: Tensor, top_p: float) -> Tensor:
    ordered, order = logits.sort(dim=1, descending=True, stable=True)
    p = ordered.softmax(1)
    more_probable = p.cumsum(1) - p
    outside = more_probable >= top_p
    outside[:, 0] = False
    return logits.masked_fill(torch.zeros_like(outside).scatter_(1, order, outside), -math.inf)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

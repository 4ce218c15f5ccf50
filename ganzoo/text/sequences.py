"""What generators, rollouts and losses share: which tokens count, states that can be forked, and rows that fit the cache."""

import torch
from torch import Tensor

State = tuple[Tensor, ...]
"""What a generator remembers of the tokens so far. The first dimension of every tensor is the sentence."""

# Numbers of a block of logits: a megabyte stays in a core's cache, while an accelerator wants few large kernels.
_BLOCK = 5 * 2**16
_ACCELERATOR_BLOCK = 2**26


def token_mask(tokens: Tensor, end_token: int | None) -> Tensor:
    """The tokens that count, bool ``[N, T]``: up to and including the first end token, all where there is no end token.

    Args:
        tokens: Ids ``[N, T]``.
        end_token: Closes a sentence; None where all sentences fill their rows.
    """
    if end_token is None:
        return torch.ones_like(tokens, dtype=torch.bool)
    ends = tokens == end_token
    return ends.cumsum(1) - ends.long() == 0


def select(state: State, rows: Tensor) -> State:
    """The state of some sentences.

    Args:
        state: Of ``n`` sentences.
        rows: Their indices, int64 ``[m]``, or a bool ``[n]``.
    """
    return tuple(part[rows] for part in state)


def repeat(state: State, times: int) -> State:
    """Each sentence's state ``times`` times, copies next to each other."""
    return tuple(part.repeat_interleave(times, 0) for part in state)


def join(first: State, second: State) -> State:
    """The states of two sets of sentences, behind each other."""
    return tuple(torch.cat(parts) for parts in zip(first, second, strict=True))


def rows_at_once(width: int, device: torch.device) -> int:
    """Rows of ``width`` numbers that one block of logits should have: its size decides the speed and nothing else."""
    block = _BLOCK if device.type == "cpu" else _ACCELERATOR_BLOCK
    return max(1, block // width)

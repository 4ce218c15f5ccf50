"""Where a file keeps one of our tensors, and how the two differ."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

Change = Callable[[Tensor], Tensor]


def same(tensor: Tensor) -> Tensor:
    """``tensor`` as it is."""
    return tensor


@dataclass(frozen=True)
class Entry:
    """Where a file keeps one of our tensors.

    Attributes:
        key: Its name there.
        read: Ours from theirs.
        write: Theirs from ours.
    """

    key: str
    read: Change = same
    write: Change = same


def scaled(key: str, factor: float) -> Entry:
    """A tensor of ours that is ``factor`` times theirs."""
    return Entry(key, lambda t: t * factor, lambda t: t / factor)

"""Batches of examples, the next one read in the background while the present one is used."""

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import NamedTuple, Self

import torch
from torch import Tensor

from ganzoo.data.dataset import Examples, TensorExamples
from ganzoo.data.sampler import SamplerState, ShuffledBatches
from ganzoo.errors import InvalidValueError


class Batch(NamedTuple):
    """``indices`` int64 ``[B]`` on the CPU, and their ``examples [B, …]`` on the feed's device."""

    indices: Tensor
    examples: Tensor


class _Read(NamedTuple):
    indices: Tensor
    examples: Tensor
    state: SamplerState  # of the sampler behind this batch


class Feed:
    """The batches of a sampler with their examples, in its order; used as a context, so that no thread is left behind.

    Reading ahead changes no bit: batches come in the same order, and `state_dict` is that of the batches which were handed
    out, whatever was read already. One thread calls the sampler and the examples; nothing else may use them meanwhile.

    Args:
        examples: What is shown.
        sampler: The order. The feed owns it from now on.
        device: Where the examples are wanted; pinned memory is used on the way to a GPU.
        ahead: Batches read in advance, 0 for none. Unless given, 1, and 0 for examples that are in memory anyway: picking
            rows of a tensor takes less time than waking a thread.
        shares: Equal pieces that each batch is split into, one a process.
        share: Which of them is read here, from 0: rows ``share * n`` to ``(share + 1) * n``.

    Raises:
        InvalidValueError: a batch that cannot be split into ``shares``, or no such share.
    """

    def __init__(
        self,
        examples: Examples,
        sampler: ShuffledBatches,
        *,
        device: torch.device | str = "cpu",
        ahead: int | None = None,
        shares: int = 1,
        share: int = 0,
    ) -> None:
        if shares < 1 or not 0 <= share < shares or sampler.batch_size % shares:
            raise InvalidValueError(f"A batch of {sampler.batch_size} has no share {share} of {shares} equal ones.")
        self.examples, self.device = examples, torch.device(device)
        self.ahead = ahead if ahead is not None else 0 if isinstance(examples, TensorExamples) else 1
        self._sampler, self._rows = sampler, sampler.batch_size // shares
        self._first = share * self._rows
        self._state = sampler.state_dict()
        self._pending: deque[Future[_Read]] = deque()
        self._reader: ThreadPoolExecutor | None = None

    def next_batch(self) -> Batch:
        """The next batch.

        Raises:
            Exception: whatever reading it raised, here and not in the background; again if asked again.
        """
        read = self._waited_for() if self.ahead else self._at_once()
        self._state = read.state
        return Batch(read.indices, read.examples.to(self.device, non_blocking=True))

    def state_dict(self) -> SamplerState:
        """Where the sampler stood after the last batch that was handed out."""
        return self._state

    def load_state_dict(self, state: SamplerState) -> None:
        """Goes on from ``state``; what was read ahead is dropped.

        Raises:
            DataError: the state belongs to another number of examples.
        """
        self.close()
        self._sampler.load_state_dict(state)
        self._state = self._sampler.state_dict()

    def close(self) -> None:
        """Ends the thread, after the batch that it is reading. The feed can be used on; it starts again where it was."""
        if self._reader is None:
            return
        self._reader.shutdown(wait=True, cancel_futures=True)
        self._reader = None
        self._pending.clear()
        self._sampler.load_state_dict(self._state)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _waited_for(self) -> _Read:
        if self._reader is None:
            self._reader = ThreadPoolExecutor(1, "ganzoo-feed")
        while len(self._pending) < self.ahead:
            self._pending.append(self._reader.submit(self._read))
        # Taken out only when it is there: Ctrl-C while waiting, or an error, loses no batch.
        read = self._pending[0].result()
        self._pending.popleft()
        self._pending.append(self._reader.submit(self._read))
        return read

    def _at_once(self) -> _Read:
        try:
            return self._read()
        except BaseException:
            self._sampler.load_state_dict(self._state)  # so that the same batch comes when it is asked for again
            raise

    def _read(self) -> _Read:
        indices = next(self._sampler)[self._first : self._first + self._rows]
        examples = self.examples[indices]
        if self.device.type == "cuda":
            examples = examples.pin_memory()
        return _Read(indices, examples, self._sampler.state_dict())

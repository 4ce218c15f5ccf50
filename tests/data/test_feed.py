import threading
import time

import pytest
import torch
from torch import Tensor

from ganzoo.data import Batch, Feed, ShuffledBatches, TensorExamples
from ganzoo.errors import DataError, InvalidValueError

COUNT, SIZE = 23, 4


class Numbers:
    """Example ``i`` is ``[i, 2 i]``; remembers which threads asked, and breaks when it comes to ``bad``."""

    def __init__(self, *, bad: int | None = None, delay: float = 0.0) -> None:
        self.bad, self.delay, self.threads, self.asked = bad, delay, set[str](), 0

    def __len__(self) -> int:
        return COUNT

    def __getitem__(self, indices: Tensor) -> Tensor:
        self.threads.add(threading.current_thread().name)
        self.asked += 1
        time.sleep(self.delay)
        if self.bad is not None and self.bad in indices.tolist():
            raise DataError(f"Example {self.bad} is broken.")
        return torch.stack([indices, 2 * indices], 1)


def sampler(seed: int = 3) -> ShuffledBatches:
    return ShuffledBatches(COUNT, SIZE, seed)


def threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("ganzoo-feed")]


@pytest.mark.parametrize("ahead", [0, 1, 3])
def test_reading_ahead_changes_neither_order_nor_values(ahead: int) -> None:
    expected = sampler()
    with Feed(Numbers(), sampler(), ahead=ahead) as feed:
        for _ in range(15):
            batch = feed.next_batch()
            assert torch.equal(batch.indices, next(expected))
            assert torch.equal(batch.examples, torch.stack([batch.indices, 2 * batch.indices], 1))


@pytest.mark.parametrize("ahead", [0, 1, 3])
@pytest.mark.parametrize("steps", [0, 1, 6])
def test_the_state_is_that_of_the_batches_that_were_handed_out(ahead: int, steps: int) -> None:
    direct = sampler()
    with Feed(Numbers(), sampler(), ahead=ahead) as feed:
        for _ in range(steps):
            feed.next_batch()
            next(direct)
        time.sleep(0.02)  # whatever is read ahead is read now
        state = feed.state_dict()
        assert state == direct.state_dict()
    with Feed(Numbers(), sampler(seed=99), ahead=ahead) as other:
        other.next_batch()
        other.load_state_dict(state)
        assert [other.next_batch().indices.tolist() for _ in range(9)] == [next(direct).tolist() for _ in range(9)]


def test_the_next_batch_is_read_while_the_present_one_is_used() -> None:
    examples = Numbers()
    with Feed(examples, sampler()) as feed:
        feed.next_batch()
        deadline = time.monotonic() + 10
        while examples.asked < 2 and time.monotonic() < deadline:
            time.sleep(0.001)
        assert examples.asked == 2  # nobody has asked for it yet
    assert all(name.startswith("ganzoo-feed") for name in examples.threads)


def test_examples_in_memory_need_no_thread() -> None:
    with Feed(TensorExamples(torch.arange(COUNT)), sampler()) as feed:
        batch = feed.next_batch()
        assert torch.equal(batch.examples, batch.indices) and not threads()


@pytest.mark.parametrize("ahead", [0, 1, 3])
def test_an_error_comes_out_where_the_batch_is_asked_for_and_comes_again(ahead: int) -> None:
    order = sampler()
    first = next(order).tolist()
    bad = next(b for b in next(order).tolist() if b not in first)
    with Feed(Numbers(bad=bad), sampler(), ahead=ahead) as feed:
        assert feed.next_batch().indices.tolist() == first
        before = feed.state_dict()
        for _ in range(2):
            with pytest.raises(DataError, match=f"Example {bad} is broken"):
                feed.next_batch()
        assert feed.state_dict() == before
    assert not threads()


def test_no_thread_is_left_behind_whatever_ends_the_run() -> None:
    with pytest.raises(KeyboardInterrupt), Feed(Numbers(delay=0.02), sampler(), ahead=4) as feed:
        feed.next_batch()
        assert len(threads()) == 1
        raise KeyboardInterrupt
    assert not threads()


def test_a_closed_feed_goes_on_where_it_was() -> None:
    expected = sampler()
    feed = Feed(Numbers(), sampler(), ahead=2)
    for _ in range(3):
        assert torch.equal(feed.next_batch().indices, next(expected))
    feed.close()
    feed.close()
    assert torch.equal(feed.next_batch().indices, next(expected))
    feed.close()


def test_the_shares_of_a_batch_are_together_the_whole() -> None:
    with Feed(Numbers(), sampler(), shares=2, share=0) as one, Feed(Numbers(), sampler(), shares=2, share=1) as other:
        for whole in (next(sampler()),):
            parts: list[Batch] = [one.next_batch(), other.next_batch()]
            assert torch.equal(torch.cat([p.indices for p in parts]), whole)
            assert torch.equal(torch.cat([p.examples for p in parts])[:, 0], whole)
        assert one.state_dict() == other.state_dict()


@pytest.mark.parametrize(("shares", "share"), [(3, 0), (2, 2), (0, 0), (2, -1)])
def test_shares_that_do_not_exist_are_refused(shares: int, share: int) -> None:
    with pytest.raises(InvalidValueError, match="share"):
        Feed(Numbers(), sampler(), shares=shares, share=share)

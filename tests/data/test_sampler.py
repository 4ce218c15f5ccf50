import json

import pytest
import torch

from ganzoo.data import ShuffledBatches
from ganzoo.errors import DataError, InvalidValueError


def take(batches: ShuffledBatches, count: int) -> list[int]:
    return [i for _ in range(count) for i in next(batches).tolist()]


def test_every_picture_is_shown_once_an_epoch_and_batches_run_on() -> None:
    shown = take(ShuffledBatches(10, 4, seed=0), 5)
    assert sorted(shown[:10]) == sorted(shown[10:]) == list(range(10))
    assert shown[:10] != shown[10:]


def test_a_batch_may_be_larger_than_the_data() -> None:
    batch = next(ShuffledBatches(3, 8, seed=0)).tolist()
    assert sorted(batch[:3]) == sorted(batch[3:6]) == [0, 1, 2] and len(batch) == 8


def test_the_order_depends_on_the_seed_alone() -> None:
    assert take(ShuffledBatches(50, 5, seed=7), 12) == take(ShuffledBatches(50, 5, seed=7), 12)
    assert take(ShuffledBatches(50, 5, seed=7), 10) != take(ShuffledBatches(50, 5, seed=8), 10)
    assert take(ShuffledBatches(50, 5, seed=1), 20)[50:] != take(ShuffledBatches(50, 5, seed=2), 20)[:50]


@pytest.mark.parametrize("steps", [0, 3, 5, 13])
def test_it_goes_on_from_its_state_as_if_it_had_never_stopped(steps: int) -> None:
    whole, first = ShuffledBatches(23, 4, seed=3), ShuffledBatches(23, 4, seed=3)
    expected = take(whole, steps + 20)
    take(first, steps)
    second = ShuffledBatches(23, 4, seed=99)
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    assert take(second, 20) == expected[steps * 4 :]


def test_the_global_random_state_is_left_alone() -> None:
    before = torch.get_rng_state()
    take(ShuffledBatches(5, 2, seed=0), 9)
    assert torch.equal(before, torch.get_rng_state())


def test_a_state_of_other_data_is_refused() -> None:
    with pytest.raises(DataError, match="5 pictures; now there are 6"):
        ShuffledBatches(6, 2, seed=0).load_state_dict(ShuffledBatches(5, 2, seed=0).state_dict())


@pytest.mark.parametrize(("count", "size"), [(0, 1), (1, 0)])
def test_nothing_to_draw_is_refused(count: int, size: int) -> None:
    with pytest.raises(InvalidValueError):
        ShuffledBatches(count, size, seed=0)

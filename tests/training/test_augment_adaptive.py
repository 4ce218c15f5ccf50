import pytest
import torch

from ganzoo.errors import ConfigError
from ganzoo.training.augment import AdaptiveProbability


def scores(positive: int, of: int) -> torch.Tensor:
    return torch.cat((torch.full((positive,), 0.3), torch.full((of - positive,), -2.0)))


def test_it_rises_above_the_target_and_falls_below_it() -> None:
    adaptive = AdaptiveProbability(target=0.6, images=1000, every=4)
    for positive in (8, 10, 9, 9):  # signs: 36 of 40 positive, r_t = (36 - 4) / 40 = 0.8
        assert adaptive.p == 0 and adaptive.r_t is None
        adaptive.update(scores(positive, 10))
    assert adaptive.r_t == pytest.approx(0.8) and adaptive.p == pytest.approx(0.04)
    for _ in range(4):
        adaptive.update(scores(7, 10))  # r_t = 0.4
    assert adaptive.r_t == pytest.approx(0.4) and adaptive.p == pytest.approx(0.0)


def test_it_stays_where_it_is_on_the_target() -> None:
    adaptive = AdaptiveProbability(target=0.5, images=100, every=1, p=0.3)
    adaptive.update(scores(3, 4))
    assert adaptive.r_t == 0.5 and adaptive.p == 0.3


def test_a_logit_of_zero_counts_for_neither_side() -> None:
    adaptive = AdaptiveProbability(every=1)
    adaptive.update(torch.tensor([0.0, 0.0, 1.0, 1.0]))
    assert adaptive.r_t == 0.5


@pytest.mark.parametrize(("positive", "expected"), [(10, 1.0), (0, 0.0)])
def test_it_stays_a_probability(positive: int, expected: float) -> None:
    adaptive = AdaptiveProbability(images=25, every=1, p=0.5)
    for _ in range(5):
        adaptive.update(scores(positive, 10))
    assert adaptive.p == expected


def test_the_papers_speed_is_from_0_to_1_in_half_a_million_images() -> None:
    adaptive = AdaptiveProbability()
    for _ in range(4 * 10):
        adaptive.update(scores(64, 64))
    assert adaptive.p == pytest.approx(64 * 4 * 10 / 500_000)


def test_processes_add_their_signs_and_counts() -> None:
    whole, parts = AdaptiveProbability(every=2, images=100), AdaptiveProbability(every=2, images=100)
    for positives in ((8, 5), (2, 8)):
        whole.update(torch.cat([scores(k, 8) for k in positives]))
        signs = [parts.signs(scores(k, 8)) for k in positives]
        parts.observe(signs[0][0] + signs[1][0], signs[0][1] + signs[1][1])
    assert whole.r_t == (23 - 9) / 32 and whole.state() == parts.state()


def test_it_goes_on_from_its_state() -> None:
    sequence = [scores(k, 10) for k in (10, 9, 2, 10, 10, 10, 10)]
    straight = AdaptiveProbability(every=3, images=200, p=0.1)
    for step in sequence:
        straight.update(step)
    interrupted = AdaptiveProbability(every=3, images=200, p=0.1)
    for step in sequence[:4]:
        interrupted.update(step)
    resumed = AdaptiveProbability(every=3, images=200)
    resumed.restore(interrupted.state())
    for step in sequence[4:]:
        resumed.update(step)
    assert resumed.state() == straight.state()
    assert straight.state()["steps"] == 1 and straight.state()["count"] == 10


def test_scores_need_no_gradient_and_keep_theirs() -> None:
    real = torch.ones(4, requires_grad=True)
    total, count = AdaptiveProbability.signs(real)
    assert not total.requires_grad and float(total) == 4 and count == 4


@pytest.mark.parametrize("wrong", [{"target": 1.5}, {"images": 0}, {"every": 0}, {"p": -0.1}, {"target": float("nan")}])
def test_values_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        AdaptiveProbability(**wrong)  # type: ignore[arg-type]


def test_a_state_without_p_is_refused() -> None:
    with pytest.raises(ConfigError, match="'p'"):
        AdaptiveProbability().restore({"p": None, "r_t": None, "total": 0.0, "count": 0, "steps": 0})

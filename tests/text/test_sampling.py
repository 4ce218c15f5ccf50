"""Drawing tokens follows closed forms: quantiles, temperature, top-k and nucleus."""

import math

import pytest
import torch

from ganzoo.errors import InvalidValueError
from ganzoo.text.sampling import Restriction, draw, draw_tokens, restrict
from ganzoo.text.sequences import join, repeat, select, token_mask

INF = math.inf
P = torch.tensor([[0.5, 0.2, 0.2, 0.1]])


def test_uniform_numbers_are_quantiles() -> None:
    logits = P.log().expand(8, -1)
    u = torch.tensor([0.0, 0.499, 0.501, 0.699, 0.701, 0.899, 0.901, 1 - 2**-24])
    assert draw(logits, u).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert draw(P.log(), u[None]).tolist() == [[0, 0, 1, 1, 2, 2, 3, 3]]  # many from one distribution


@pytest.mark.parametrize("vocab_size", [1, 2, 127, 128, 129, 1000, 5000])
def test_two_levels_equal_one(vocab_size: int) -> None:
    rng = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(200, vocab_size, generator=rng, dtype=torch.float64)
    u = torch.rand(200, generator=rng, dtype=torch.float64)
    plain = torch.searchsorted(logits.softmax(1).cumsum(1), u[:, None], right=True)[:, 0].clamp(max=vocab_size - 1)
    assert torch.equal(draw(logits, u), plain)


@pytest.mark.parametrize("vocab_size", [3, 128, 300])
def test_tokens_without_probability_are_never_drawn(vocab_size: int) -> None:
    logits = torch.full((vocab_size, vocab_size), -INF)
    logits[torch.arange(vocab_size), torch.arange(vocab_size)] = 0
    for u in (0.0, 0.5, 1 - 2**-24, 1.0):  # 1 is out of range, and still harmless
        assert torch.equal(draw(logits, torch.full((vocab_size,), u)), torch.arange(vocab_size))


def test_frequencies_are_probabilities() -> None:
    rng = torch.Generator().manual_seed(0)
    logits = torch.randn(1, 300, generator=rng)
    drawn = draw(logits, torch.rand(1, 200_000, generator=rng))
    p = logits.softmax(1)[0]
    counts = drawn[0].bincount(minlength=300)
    chi2 = float(((counts - 200_000 * p).square() / (200_000 * p)).sum())
    assert abs(chi2 - 299) < 5 * math.sqrt(2 * 299)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("temperature", [1e-310, 1e-40, 1e-10])
def test_however_low_the_temperature_the_likeliest_token_is_drawn(temperature: float, dtype: torch.dtype) -> None:
    logits = torch.tensor([[3.0, 7.5, 7.25, -INF], [900.0, -900.0, 0.0, 900.0]], dtype=dtype)
    u = torch.tensor([[0.0, 0.49, 0.51, 0.99]]).expand(2, -1)
    assert draw(restrict(logits, temperature), u).tolist() == [[1, 1, 1, 1], [0, 0, 3, 3]]
    assert draw(restrict(logits, temperature, top_k=1, top_p=0.4), u).tolist() == [[1, 1, 1, 1], [0, 0, 0, 0]]


def test_logits_that_are_not_finite() -> None:
    for bad in (float("nan"), INF):
        with pytest.raises(InvalidValueError, match="not finite"):
            draw(torch.tensor([[0.0, bad]]), torch.tensor([0.5]))


def test_drawing_from_hidden_states_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = torch.Generator().manual_seed(0)
    head = torch.nn.Linear(3, 7).requires_grad_(False).double()
    hidden, u = torch.randn(50, 3, generator=rng, dtype=torch.float64), torch.rand(50, 4, generator=rng)
    want = draw(restrict(head(hidden), top_k=3), u)
    monkeypatch.setattr("ganzoo.text.sequences._BLOCK", 7 * 8)
    assert torch.equal(draw_tokens(hidden, head, u, Restriction(top_k=3)), want)


def test_temperature() -> None:
    # Squared and normalised: 25/34, 4/34, 4/34, 1/34.
    assert torch.allclose(restrict(P.log(), temperature=0.5).softmax(1), torch.tensor([[25.0, 4, 4, 1]]) / 34)
    assert torch.allclose(restrict(P.log(), temperature=1e9).softmax(1), torch.full((1, 4), 0.25))
    assert torch.equal(restrict(P.log()), P.log())


def kept(**options: float) -> list[int]:
    (row,) = restrict(P.log(), **options)  # type: ignore[arg-type]
    return row.isfinite().nonzero()[:, 0].tolist()


def test_top_k() -> None:
    assert kept(top_k=1) == [0]
    assert kept(top_k=2) == [0, 1, 2]  # the two are equally probable
    assert kept(top_k=3) == [0, 1, 2]
    assert kept(top_k=4) == kept(top_k=99) == [0, 1, 2, 3]


def test_top_p_is_the_smallest_set_with_the_mass() -> None:
    assert kept(top_p=1e-9) == kept(top_p=0.49) == [0]
    assert kept(top_p=0.51) == kept(top_p=0.69) == [0, 1]
    assert kept(top_p=0.71) == kept(top_p=0.89) == [0, 1, 2]
    assert kept(top_p=0.91) == kept(top_p=1) == kept(top_p=1.0) == [0, 1, 2, 3]
    exact = torch.tensor([[0.5, 0.25, 0.25]]).log()
    assert restrict(exact, top_p=0.5).isfinite().sum() == 1  # "at least": half is enough


def test_temperature_comes_before_top_k_and_that_before_top_p() -> None:
    # At temperature 1/2 the first has 25/34 = 0.735 of the mass; among the top three 25/33 = 0.758.
    assert kept(temperature=0.5, top_p=0.73) == [0]
    assert kept(temperature=0.5, top_p=0.75) == [0, 1]
    assert kept(temperature=0.5, top_k=3, top_p=0.75) == [0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"temperature": 0}, "top_k=1"),
        ({"temperature": -0.5}, "above 0, not -0.5"),
        ({"temperature": INF}, "above 0"),
        ({"temperature": float("nan")}, "above 0"),
        ({"temperature": "1"}, "above 0"),
        ({"top_k": 0}, "at least 1, not 0"),
        ({"top_k": 2.0}, "whole number"),
        ({"top_k": True}, "whole number"),
        ({"top_p": 0}, "above 0 and at most 1"),
        ({"top_p": 1.1}, "not 1.1"),
        ({"top_p": float("nan")}, "above 0"),
    ],
)
def test_values_that_cannot_be_used(options: dict, words: str) -> None:
    with pytest.raises(InvalidValueError, match=words):
        restrict(P.log(), **options)


def test_tokens_that_count() -> None:
    tokens = torch.tensor([[5, 2, 0, 0], [2, 0, 0, 0], [5, 5, 5, 2], [5, 5, 5, 5], [5, 2, 5, 2]])
    assert token_mask(tokens, 2).int().tolist() == [[1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 0, 0]]
    assert token_mask(tokens, None).all()


def test_states() -> None:
    state = (torch.tensor([[1.0], [2.0]]), torch.tensor([[[3.0]], [[4.0]]]))
    assert [part.flatten().tolist() for part in repeat(state, 2)] == [[1, 1, 2, 2], [3, 3, 4, 4]]
    assert [part.flatten().tolist() for part in select(state, torch.tensor([1]))] == [[2], [4]]
    assert [part.flatten().tolist() for part in select(state, torch.tensor([True, False]))] == [[1], [3]]
    assert [part.flatten().tolist() for part in join(state, select(state, torch.tensor([0])))] == [[1, 2, 1], [3, 4, 3]]
    assert select((), torch.tensor([0])) == repeat((), 3) == join((), ()) == ()

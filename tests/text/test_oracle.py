"""The LSTM oracle: a second way to compute it, enumeration, and draws that are the same everywhere."""

import hashlib
import math
from typing import Any

import numpy as np
import pytest
import torch

from ganzoo.errors import InvalidValueError
from ganzoo.text.oracle import Estimate, LSTMOracle
from ganzoo.text.oracle.numbers import normals, uniforms
from tests.text.tables import all_sentences


def small(seed: int = 1, **sizes: int) -> LSTMOracle:
    return LSTMOracle.seeded(seed, **{"vocab_size": 3, "hidden_size": 4, "embedding_size": 5, "length": 4, **sizes})


def test_log_prob_is_what_torchs_lstm_gives() -> None:
    oracle = small(vocab_size=11, hidden_size=6, embedding_size=7)
    w = oracle.weights
    network = torch.nn.LSTM(7, 6, batch_first=True).double()

    def torchs_order(gates: torch.Tensor) -> torch.Tensor:
        i, f, o, g = gates.chunk(4, dim=-1)
        return torch.cat([i, f, g, o], dim=-1)

    with torch.no_grad():
        network.weight_ih_l0.copy_(torchs_order(w.inputs).T)
        network.weight_hh_l0.copy_(torchs_order(w.recurrent).T)
        network.bias_ih_l0.copy_(torchs_order(w.bias))
        network.bias_hh_l0.zero_()
        tokens = torch.randint(11, (200, 9), generator=torch.Generator().manual_seed(0))
        inputs = torch.cat([torch.zeros(200, 1, dtype=torch.int64), tokens[:, :-1]], dim=1)
        scores = (network(w.embedding[inputs])[0] @ w.output + w.output_bias).log_softmax(2)
    wanted = scores.gather(2, tokens[:, :, None])[:, :, 0]
    assert torch.allclose(oracle.log_prob(tokens), wanted, rtol=0, atol=1e-12)


def test_the_probabilities_of_all_sentences_sum_to_one() -> None:
    total = small().log_prob(all_sentences(3, 4)).sum(1).exp().sum()
    assert float(total) == pytest.approx(1, abs=1e-12)


def test_sentences_are_drawn_as_often_as_their_probability_says() -> None:
    oracle, n = small(), 40_000
    expected = oracle.log_prob(all_sentences(3, 4)).sum(1).exp() * n
    drawn = oracle.sample(n, seed=5)
    counts = torch.bincount((drawn * torch.tensor([27, 9, 3, 1])).sum(1), minlength=81)
    # Chi-square with 80 degrees of freedom: above 130 once in 3,000 draws; the draw is fixed.
    assert float(((counts - expected) ** 2 / expected).sum()) < 130


def test_entropy_is_that_of_the_enumeration() -> None:
    oracle = small()
    log_probs = oracle.log_prob(all_sentences(3, 4)).sum(1)
    exact = -float((log_probs.exp() * log_probs).sum()) / 4
    found = oracle.entropy(20_000, seed=3)
    assert 0 < found.error < 0.01
    assert found.value == pytest.approx(exact, abs=3 * found.error)


def test_a_sample_depends_on_its_seed_and_place_alone() -> None:
    oracle = small(vocab_size=50)
    many = oracle.sample(200, seed=7)
    assert many.dtype == torch.int64
    assert torch.equal(oracle.sample(9, seed=7), many[:9])
    assert not torch.equal(oracle.sample(200, seed=8), many)
    state = torch.get_rng_state()
    oracle.sample(3, seed=0)
    assert torch.equal(torch.get_rng_state(), state)


def test_the_numbers_are_philoxs_and_pinned() -> None:
    """Whoever draws other numbers has other oracles: figures would not be comparable."""
    raw = np.random.Philox(key=np.array([3, 1], dtype=np.uint64)).random_raw(4)
    assert uniforms(3, 1, 4).tolist() == [int(value >> 11) / 2**53 for value in raw.tolist()]
    assert torch.equal(uniforms(3, 1, 100)[:4], uniforms(3, 1, 4))
    drawn = normals(3, 0, 200_000)
    assert float(drawn.mean()) == pytest.approx(0, abs=0.01)
    assert float(drawn.std()) == pytest.approx(1, abs=0.01)
    assert float((drawn.abs() < 1).double().mean()) == pytest.approx(math.erf(1 / math.sqrt(2)), abs=0.005)
    assert torch.equal(drawn * 2**16, (drawn * 2**16).round())
    assert (
        hashlib.sha256(drawn.numpy().tobytes()).hexdigest()
        == "7276d97d2b7d5a690d03633f7def1408881cb5a6da370f6e7f74c17092a193e4"
    )


def test_the_seeded_oracle_is_the_recorded_one() -> None:
    oracle = LSTMOracle.seeded(6)
    assert oracle.sha256 == "576e7a87c41b6953c2f0a1ff9ec9967799a0a711b0a0d6ef3d97d9397e75ddc8"
    assert oracle.entropy(1000, seed=2).value == pytest.approx(5.794, abs=0.02)


def test_the_start_token_is_the_first_input() -> None:
    one, other = (LSTMOracle(small().weights, length=4, start_token=start) for start in (0, 2))
    tokens = all_sentences(3, 4)
    assert not torch.allclose(one.log_prob(tokens), other.log_prob(tokens))
    assert one.sha256 != other.sha256


@pytest.mark.parametrize(
    "tokens",
    [torch.zeros(3), torch.zeros(2, 2), torch.zeros(0, 4, dtype=torch.int64), torch.tensor([[0, 3]]), torch.tensor([[-1]])],
)
def test_ids_that_cannot_be_scored(tokens: torch.Tensor) -> None:
    with pytest.raises(InvalidValueError, match="oracle"):
        small().log_prob(tokens)


@pytest.mark.parametrize("given", [{"seed": -1}, {"seed": 2**32}, {"vocab_size": 0}, {"hidden_size": -1}, {"length": 0}])
def test_sizes_and_seeds_that_cannot_be(given: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError):
        LSTMOracle.seeded(**{"vocab_size": 3, **given})


def test_a_start_token_that_is_no_word() -> None:
    with pytest.raises(InvalidValueError, match="start token 3"):
        LSTMOracle(small().weights, start_token=3)


def test_a_sample_needs_a_count_and_a_seed() -> None:
    for n, seed in ((0, 1), (1, -1)):
        with pytest.raises(InvalidValueError):
            small().sample(n, seed=seed)


def test_estimates() -> None:
    one = Estimate.of(torch.tensor([1.0, 2.0, 3.0, 4.0]))
    assert (one.value, one.error) == (2.5, pytest.approx(math.sqrt(5 / 3) / 2))
    assert Estimate.of(torch.tensor([2.0])) == Estimate(2.0, math.inf)
    assert Estimate(1, 3) - Estimate(0.5, 4) == Estimate(0.5, 5)
    assert Estimate(1, 3) + Estimate(0.5, 4) == Estimate(1.5, 5)
    assert Estimate(1, 3) * -2 == Estimate(-2, 6)
    assert str(Estimate(1, 0.25)) == "1.000 ± 0.250"

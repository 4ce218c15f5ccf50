"""Divergences against closed forms: on sentences of four words out of three everything can be summed up exactly."""

import math

import pytest
import torch
from torch import Tensor

from ganzoo.errors import InvalidValueError
from ganzoo.text.oracle import LSTMOracle, Tempered, Yardstick
from ganzoo.text.oracle.measures import jensen_shannon
from tests.text.tables import Bigrams, all_sentences

EVERY = all_sentences(3, 4)
N = 20_000


@pytest.fixture(scope="module")
def oracle() -> LSTMOracle:
    return LSTMOracle.seeded(1, vocab_size=3, hidden_size=4, embedding_size=5, length=4)


def densities(oracle: LSTMOracle, generator: Bigrams, temperature: float = 1.0) -> tuple[Tensor, Tensor]:
    """Log-probability of every sentence under both, the model's computed from its table alone."""
    steps = (generator.table.detach().double() / temperature).log_softmax(1)
    before = torch.cat([torch.zeros(len(EVERY), 1, dtype=torch.int64), EVERY[:, :-1]], dim=1)
    return oracle.log_prob(EVERY).sum(1), steps[before, EVERY].sum(1)


@pytest.mark.parametrize("temperature", [1.0, 0.5, 1.7])
def test_every_figure_is_that_of_the_enumeration(oracle: LSTMOracle, temperature: float) -> None:
    generator = Bigrams(seed=2)
    log_p, log_q = densities(oracle, generator, temperature)
    p, q = log_p.exp(), log_q.exp()
    mixed = (0.5 * (p + q)).log()
    exact = {
        "nll_oracle": -(q * log_p).sum() / 4,
        "nll_test": -(p * log_q).sum() / 4,
        "own_entropy": -(q * log_q).sum() / 4,
        "kl_oracle_model": (p * (log_p - log_q)).sum() / 4,
        "kl_model_oracle": (q * (log_q - log_p)).sum() / 4,
        "js": 0.5 * (p * (log_p - mixed)).sum() + 0.5 * (q * (log_q - mixed)).sum(),
    }
    found = Yardstick(oracle, oracle.sample(N, seed=11)).measure(Tempered(generator, temperature), samples=N, seed=4)
    for name, value in exact.items():
        estimate = getattr(found, name)
        assert 0 < estimate.error < 0.02, name
        assert abs(estimate.value - float(value)) < 4 * estimate.error, name


def test_a_standard_error_is_how_far_draws_lie_apart(oracle: LSTMOracle) -> None:
    """The errors of nll_oracle and js, against the spread of 100 measurements with draws of their own."""
    model, found = Tempered(Bigrams(seed=2)), []
    for seed in range(100):
        found.append(Yardstick(oracle, oracle.sample(100, seed=seed)).measure(model, samples=100, seed=seed))
    for name in ("nll_oracle", "js", "kl_oracle_model"):
        spread = torch.tensor([getattr(each, name).value for each in found]).std()
        told = torch.tensor([getattr(each, name).error for each in found]).mean()
        assert float(told) == pytest.approx(float(spread), rel=0.25), name


def test_the_oracle_against_itself_is_perfect(oracle: LSTMOracle) -> None:
    yardstick = Yardstick(oracle, oracle.sample(500, seed=1))
    found = yardstick.measure(oracle, samples=500, seed=2)
    for estimate in (found.kl_model_oracle, found.kl_oracle_model, found.js):
        assert estimate.value == pytest.approx(0, abs=1e-12)
    assert found.nll_test == yardstick.entropy


def test_js_of_what_shares_nothing_is_log_2() -> None:
    same, never = torch.full((5,), -1.0), torch.full((5,), -math.inf)
    assert jensen_shannon(same, never, never, same).value == pytest.approx(math.log(2))


def test_a_collapsed_model_has_the_best_nll_oracle_and_is_found_out(oracle: LSTMOracle) -> None:
    """Fact 1 of the benchmark: the tricks show in the other figures."""
    yardstick = Yardstick(oracle, oracle.sample(2000, seed=1))
    generator = Bigrams(seed=2)
    with torch.no_grad():  # the best table of bigrams: the one of the oracle's own text
        text = oracle.sample(20_000, seed=9)
        before = torch.cat([torch.zeros(len(text), 1, dtype=torch.int64), text[:, :-1]], dim=1)
        counts = torch.bincount((before * 3 + text).flatten(), minlength=9).reshape(3, 3)
        generator.table.copy_((counts / counts.sum(1, keepdim=True)).log())
    honest, cold = (yardstick.measure(Tempered(generator, t), samples=2000, seed=3) for t in (1.0, 0.2))
    assert cold.nll_oracle.value < min(yardstick.entropy.value, honest.nll_oracle.value) - 0.05
    assert cold.nll_test.value > honest.nll_test.value + 0.5
    assert cold.js.value > honest.js.value + 0.1
    assert cold.unique < honest.unique
    assert cold.distinct_2 <= honest.distinct_2


def test_variety_counts(oracle: LSTMOracle) -> None:
    class Fixed:
        def sample(self, n: int, *, seed: int) -> Tensor:
            return torch.tensor([[0, 1, 2, 0], [0, 1, 2, 0], [1, 1, 1, 1]])

        def log_prob(self, tokens: Tensor) -> Tensor:
            return torch.zeros(tokens.shape)

    found = Yardstick(oracle, oracle.sample(5, seed=1)).measure(Fixed(), samples=3)
    assert found.unique == pytest.approx(2 / 3)
    assert found.distinct_2 == pytest.approx(4 / 9)  # 01 12 20 11


def test_the_density_of_a_temperature_is_that_of_its_samples() -> None:
    generator = Bigrams(seed=5)
    model = Tempered(generator, 0.6)
    total = model.log_prob(EVERY).sum(1).exp().sum()
    assert float(total) == pytest.approx(1, abs=1e-6)
    expected = N * model.log_prob(EVERY).sum(1).exp()
    counts = torch.bincount((model.sample(N, seed=0) * torch.tensor([27, 9, 3, 1])).sum(1), minlength=81)
    assert float(((counts - expected) ** 2 / expected).sum()) < 130


def test_after_the_end_nothing_counts() -> None:
    generator = Bigrams(seed=5, end=2)
    scores = Tempered(generator).log_prob(torch.tensor([[0, 2, 1, 1], [1, 2, 2, 0], [2, 0, 0, 0], [0, 0, 0, 0]]))
    assert (scores != 0).tolist() == [[True, True, False, False]] * 2 + [[True, False, False, False], [True] * 4]


def test_measuring_leaves_the_generator_as_it_was() -> None:
    generator = Bigrams().train()
    scores = Tempered(generator).log_prob(EVERY)
    assert generator.training
    assert not scores.is_inference()
    assert scores.dtype == torch.float64


@pytest.mark.parametrize("temperature", [0, -1.0, math.nan, math.inf, "1"])
def test_temperatures_that_cannot_be(temperature: float) -> None:
    with pytest.raises(InvalidValueError, match="above 0"):
        Tempered(Bigrams(), temperature)


def test_a_generator_with_a_latent_has_no_density() -> None:
    generator = Bigrams()
    generator.latent_size = 8
    with pytest.raises(InvalidValueError, match="Bigrams does not draw sentences word by word"):
        Tempered(generator)


def test_what_cannot_be_measured(oracle: LSTMOracle) -> None:
    with pytest.raises(InvalidValueError, match="held-out"):
        Yardstick(oracle, EVERY[:1])
    yardstick = Yardstick(oracle, EVERY)
    with pytest.raises(InvalidValueError, match="at least 2|At least 2"):
        yardstick.measure(oracle, samples=1)
    with pytest.raises(InvalidValueError, match="5 words and the oracle's 4"):
        yardstick.measure(Tempered(Bigrams(length=5)), samples=5)

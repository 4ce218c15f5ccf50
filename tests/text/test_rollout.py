"""Rollout rewards equal the sums over all completions; ends, subsets and chunks change what they should and nothing else."""

import itertools

import pytest
import torch
from torch import Tensor

from ganzoo.building import build_random
from ganzoo.errors import InvalidValueError
from ganzoo.text.generators import LSTMGenerator
from ganzoo.text.rollout import complete, rollout_rewards
from ganzoo.text.sequences import token_mask

V, T = 3, 4


def generator(**options: object) -> LSTMGenerator:
    network = build_random(
        LSTMGenerator, {"vocab_size": V, "max_length": T, "hidden_size": 5, "init_std": 1.5} | options, seed=3
    )
    return network.eval()


def score(sentences: Tensor) -> Tensor:
    """Some function of all tokens, different for every sentence."""
    return torch.sin((sentences * torch.tensor([1, 3, 9, 27])[: sentences.shape[1]]).sum(1).float())


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def every_sentence(network: LSTMGenerator) -> tuple[Tensor, Tensor]:
    """All sentences in the form that the generator writes them, and their probabilities."""
    end, pad = network.end_token, network.pad_token
    seen = set()
    for tokens in itertools.product(range(V), repeat=T):
        cut = tokens.index(end) + 1 if end in tokens else T
        seen.add(tokens[:cut] + (pad,) * (T - cut))
    sentences = torch.tensor(sorted(seen))
    with torch.no_grad():
        return sentences, network.double().log_prob(sentences).sum(1).exp()


def exact(network: LSTMGenerator, tokens: Tensor) -> Tensor:
    sentences, p = every_sentence(network)
    values = torch.zeros(tokens.shape, dtype=torch.float64)
    for i, t in itertools.product(range(len(tokens)), range(T)):
        agree = (sentences[:, : t + 1] == tokens[i, : t + 1]).all(1)
        values[i, t] = (p * score(sentences))[agree].sum() / p[agree].sum()
    return values * token_mask(tokens, network.end_token)


FIXED: dict[str, object] = {}
ENDING: dict[str, object] = {"end_token": 2, "pad_token": 0, "start_token": 1}


@pytest.mark.parametrize("options", [FIXED, ENDING], ids=["fixed", "ending"])
def test_all_sentences_have_probability_one_together(options: dict[str, object]) -> None:
    assert float(every_sentence(generator(**options))[1].sum()) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("options", [FIXED, ENDING], ids=["fixed", "ending"])
def test_rewards_equal_the_sum_over_all_completions(options: dict[str, object]) -> None:
    network = generator(**options)
    tokens = every_sentence(network)[0][::4]
    rewards = rollout_rewards(network, score, tokens, rollouts=2500, rng=rng())
    error = rewards - exact(network, tokens)
    # Scores are in [-1, 1]: the standard error of 2500 is at most 0.02; the mean over all positions is much nearer.
    assert float(error.abs().max()) < 4 * 0.02
    assert float(error.abs().mean()) < 0.012
    last = token_mask(tokens, network.end_token).sum(1) - 1
    assert torch.equal(rewards.gather(1, last[:, None])[:, 0], score(tokens))


def naive(network: LSTMGenerator, tokens: Tensor, rollouts: int) -> Tensor:
    """As the paper's algorithm reads: every prefix continued alone, from its beginning."""
    torch.manual_seed(0)
    rewards = torch.zeros(tokens.shape)
    for i, t in itertools.product(range(len(tokens)), range(T)):
        for _ in range(rollouts):
            sentence = tokens[i : i + 1, : t + 1]
            while sentence.shape[1] < T:
                more = torch.cat([sentence, torch.zeros(1, 1, dtype=torch.int64)], 1)
                p = network.logits(more)[0, -1].softmax(0)
                sentence = torch.cat([sentence, torch.multinomial(p, 1)[None]], 1)
            rewards[i, t] += score(sentence)[0] / rollouts
    return rewards


@torch.no_grad()
def test_rewards_have_the_distribution_of_a_naive_implementation() -> None:
    network = generator()
    tokens = torch.tensor([[0, 1, 2, 0], [2, 2, 1, 1]])
    ours = rollout_rewards(network, score, tokens, rollouts=150, rng=rng())
    theirs = naive(network, tokens, 150)
    assert float((ours - theirs).abs().max()) < 4 * (2 / 150) ** 0.5
    assert torch.equal(ours[:, -1], score(tokens))


def test_single_rollouts_are_scores_of_sentences_that_keep_the_prefix() -> None:
    network, seen = generator(**ENDING), []

    def watch(sentences: Tensor) -> Tensor:
        seen.append(sentences)
        return score(sentences)

    tokens = torch.tensor([[0, 1, 2, 0], [1, 1, 1, 1], [2, 0, 0, 0]])
    rewards = rollout_rewards(network, watch, tokens, rollouts=1, rng=rng())
    completions = torch.cat(seen[1:])
    assert torch.equal(seen[0], tokens)
    # Five prefixes are open: two of the first sentence, three of the second, none of the third.
    assert len(completions) == 5
    prefixes = [[0], [0, 1], [1], [1, 1], [1, 1, 1]]
    assert [row[: len(p)] for row, p in zip(completions.tolist(), prefixes, strict=True)] == prefixes
    assert torch.equal(rewards[[0, 0, 1, 1, 1], [0, 1, 0, 1, 2]], score(completions))
    for row in completions.tolist():  # padded behind the end, and nowhere else is there a need for it
        assert all(token == 0 for token in row[row.index(2) + 1 :]) if 2 in row else True


def test_nothing_behind_the_end_is_worth_anything() -> None:
    tokens = torch.tensor([[0, 2, 0, 0], [2, 0, 0, 0]])
    rewards = rollout_rewards(generator(**ENDING), lambda s: torch.ones(len(s)), tokens, rollouts=3, rng=rng())
    assert rewards.tolist() == [[1, 1, 0, 0], [1, 0, 0, 0]]


def test_the_numbers_do_not_depend_on_the_chunks() -> None:
    network = generator(**ENDING)
    tokens = network.sample(30, seed=0).tensor
    whole = rollout_rewards(network, score, tokens, rollouts=8, rng=rng())
    for options in ({"chunk": 1}, {"chunk": 100}, {"score_rows": 7}, {"chunk": 10**9, "score_rows": 10**9}):
        assert torch.allclose(rollout_rewards(network, score, tokens, rollouts=8, rng=rng(), **options), whole, atol=1e-6)
    assert not torch.equal(rollout_rewards(network, score, tokens, rollouts=8, rng=rng(1)), whole)


def test_positions_that_are_left_out_take_the_value_of_the_next() -> None:
    network = generator(**ENDING)
    tokens = torch.tensor([[0, 1, 1, 1], [0, 2, 0, 0], [1, 0, 1, 2]])
    rewards = rollout_rewards(network, score, tokens, rollouts=50, rng=rng(), positions=[1])
    assert torch.equal(rewards[:, 0], rewards[:, 1])
    assert torch.equal(rewards[[0, 2], 2], score(tokens)[[0, 2]])
    assert float(rewards[1, 1]) == float(score(tokens)[1])
    only_whole = rollout_rewards(network, score, tokens, rollouts=1, rng=rng(), positions=[])
    assert torch.equal(only_whole, score(tokens)[:, None] * token_mask(tokens, 2))


def test_a_subset_of_the_positions_is_unbiased() -> None:
    network = generator()
    tokens = every_sentence(network)[0]
    p = every_sentence(network)[1]
    rewards = rollout_rewards(network, score, tokens, rollouts=500, rng=rng(), positions=[2]).double()
    first = exact(network, tokens)[:, 0]
    for token in range(V):  # given the first token, the mean over what follows
        own = tokens[:, 0] == token
        assert float((p * rewards[:, 0])[own].sum() / p[own].sum()) == pytest.approx(float(first[own][0]), abs=0.02)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_rewards_have_the_dtype_of_the_scores_also_where_nothing_is_left_to_complete(dtype: torch.dtype) -> None:
    network = generator(**ENDING)
    tokens = torch.tensor([[0, 1, 1, 1], [2, 0, 0, 0], [2, 0, 0, 0]])
    for chunk in (1, 10_000):  # of one sentence, so that two of three have no open prefix; of all
        rewards = rollout_rewards(network, lambda s: score(s).to(dtype), tokens, rollouts=2, rng=rng(), chunk=chunk)
        assert rewards.dtype == dtype
        assert torch.equal(rewards[1:, 0], score(tokens)[1:].to(dtype))
    ended = rollout_rewards(network, lambda s: score(s).to(dtype), tokens[1:], rollouts=2, rng=rng())
    assert torch.equal(ended, rewards[1:])


def test_completing() -> None:
    network = generator(**ENDING).double()
    uniforms = torch.rand(200, T, generator=rng(), dtype=torch.float64)
    blank = torch.full((200, T), 1)
    drawn = complete(network, blank, 0, uniforms)
    assert torch.equal(complete(network, drawn, 2, uniforms), drawn)  # the same numbers at the same places
    kept = complete(network, blank, 2, uniforms)
    assert torch.equal(kept[:, :2], blank[:, :2])
    mask = token_mask(drawn, 2)
    assert not drawn[~mask].any()
    assert 0 < int(mask.sum()) < mask.numel()
    whole = complete(network, torch.tensor([[2, 0, 0, 0]]), 2, uniforms[:1])
    assert whole.tolist() == [[2, 0, 0, 0]]  # it had ended
    assert torch.equal(blank, torch.full((200, T), 1))


def test_the_mode_is_as_before() -> None:
    network = generator(dropout=0.5).train()
    tokens = torch.tensor([[0, 1, 2, 0]])
    first, second = (rollout_rewards(network, score, tokens, rollouts=4, rng=rng()) for _ in range(2))
    assert torch.equal(first, second)
    assert network.training
    assert network.dropout.training
    assert not first.requires_grad


@pytest.mark.parametrize(
    ("options", "words"),
    [({"rollouts": 0}, "at least one rollout"), ({"positions": [0, 4]}, "are 0 to 3"), ({"positions": [-1]}, "are 0 to 3")],
)
def test_values_that_cannot_be_used(options: dict, words: str) -> None:
    with pytest.raises(InvalidValueError, match=words):
        rollout_rewards(generator(), score, torch.zeros(1, T, dtype=torch.int64), **{"rollouts": 1, "rng": rng(), **options})


def test_a_generator_with_a_latent_is_refused() -> None:
    network = generator()
    network.latent_size = 2
    with pytest.raises(InvalidValueError, match="from a latent"):
        rollout_rewards(network, score, torch.zeros(1, T, dtype=torch.int64), rollouts=1, rng=rng())

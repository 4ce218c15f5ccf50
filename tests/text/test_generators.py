"""The generators' contract on the LSTM: steps, likelihoods, samples that depend on their seed alone, prompts."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from ganzoo.building import build, build_random
from ganzoo.errors import ConfigError, InvalidValueError
from ganzoo.text.generators import LSTMGenerator
from ganzoo.text.generators.base import doubled
from ganzoo.text.sequences import token_mask
from ganzoo.tokenizers import WordTokenizer, encode_tokenizer

VARIANTS = [
    {},
    {"dropout": 0.5},
    {"tied": True, "embedding_size": 6, "hidden_size": 6},
    {"tied": True, "embedding_size": 6, "hidden_size": 4},
    {"end_token": 2, "pad_token": 0, "start_token": 1},
]


def network(seed: int = 1, **options: Any) -> LSTMGenerator:
    config = {"vocab_size": 13, "max_length": 7, "embedding_size": 5, "hidden_size": 6, "init_std": 1.0} | options
    return build_random(LSTMGenerator, config, seed=seed).eval()


def some_tokens(n: int = 4) -> Tensor:
    return torch.randint(13, (n, 7), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("options", VARIANTS, ids=lambda o: "-".join(o) or "plain")
def test_steps_equal_teacher_forcing(options: dict[str, Any]) -> None:
    generator = network(**options).double()
    tokens = some_tokens()
    whole, state, inputs = generator.hidden(tokens), generator.begin(4), torch.full((4,), generator.start_token)
    for t in range(7):
        hidden, state = generator.step(inputs, state)
        assert torch.allclose(hidden, whole[:, t], atol=1e-12)
        inputs = tokens[:, t]
    assert [part.shape for part in state] == [(4, generator.lstm.hidden_size)] * 2


@pytest.mark.parametrize("options", VARIANTS, ids=lambda o: "-".join(o) or "plain")
def test_log_prob(options: dict[str, Any]) -> None:
    generator = network(**options).double()
    tokens = some_tokens()
    tokens[0, 3:] = torch.tensor([2, 0, 0, 0])
    want = generator.logits(tokens).log_softmax(2).gather(2, tokens[:, :, None])[:, :, 0]
    want = want * token_mask(tokens, generator.end_token)
    assert torch.allclose(generator.log_prob(tokens), want, atol=1e-12)
    with torch.no_grad():
        assert torch.allclose(generator.log_prob(tokens), want, atol=1e-12)
    assert generator.log_prob(tokens).requires_grad


def test_log_prob_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = network().requires_grad_(False)
    want = generator.log_prob(some_tokens())
    monkeypatch.setattr("ganzoo.text.sequences._BLOCK", 13 * 3)
    with torch.no_grad():
        assert torch.allclose(generator.log_prob(some_tokens()), want, atol=1e-6)


def test_samples_follow_the_model() -> None:
    """The mean log-likelihood of samples is minus the entropy, here known from all sentences of one token."""
    generator = network(max_length=1).requires_grad_(False)
    p = generator.logits(torch.zeros(1, 1, dtype=torch.int64)).softmax(2)[0, 0].double()
    drawn = generator.sample(20_000, seed=5).tensor[:, 0].bincount(minlength=13)
    chi2 = float(((drawn - 20_000 * p).square() / (20_000 * p)).sum())
    assert chi2 < 12 + 5 * math.sqrt(2 * 12)


@pytest.mark.parametrize("options", VARIANTS, ids=lambda o: "-".join(o) or "plain")
def test_a_sample_depends_on_its_seed_alone(options: dict[str, Any]) -> None:
    generator = network(**options)
    one, seven, all_ = (generator.sample(100, seed=0, batch_size=size).tensor for size in (1, 7, 256))
    more = generator.sample(256, seed=0).tensor
    assert torch.equal(one, all_)
    assert torch.equal(seven, all_)
    assert torch.equal(more[:100], all_)
    threads = torch.get_num_threads()
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            assert torch.equal(generator.sample(100, seed=0).tensor, all_)
    finally:
        torch.set_num_threads(threads)
    assert all_.shape == (100, *generator.output_shape)
    assert len(all_.unique(dim=0)) > 50


def test_sentences_are_computed_in_float64(monkeypatch: pytest.MonkeyPatch) -> None:
    """In float32 a sample would change with the batch size about once in a million tokens: too seldom for a test to see."""
    seen, step = set(), LSTMGenerator.step

    def watched(self: LSTMGenerator, tokens: Tensor, state: Any) -> Any:
        found = step(self, tokens, state)
        seen.update({found[0].dtype, self.head.weight.dtype})
        return found

    monkeypatch.setattr(LSTMGenerator, "step", watched)
    generator = network()
    generator.sample(2, seed=0)
    assert seen == {torch.float64}
    assert generator.head.weight.dtype == torch.float32


def test_the_embedding_of_padding_gets_no_gradient() -> None:
    generator = network(end_token=2, pad_token=0, start_token=1)
    generator.log_prob(torch.tensor([[5, 0, 6, 2, 0, 0, 0]])).sum().backward()
    gradient = generator.embedding.weight.grad
    assert gradient is not None
    assert gradient.any(1).tolist() == [i in (1, 5, 6) for i in range(13)]


def test_a_sentence_is_a_function_of_its_latent_in_every_mode() -> None:
    generator = network(dropout=0.9)
    z = generator.latents([1, 2, 3])
    assert z.shape == (3, *generator.latent_shape) == (3, 7)
    assert 0 <= float(z.min()) <= float(z.max()) < 1
    want = generator(z)
    assert torch.equal(generator.train()(z), want)
    assert generator.training
    assert torch.equal(generator.double()(z.double()), want)
    assert not want.requires_grad


def test_what_stands_behind_the_end_is_padding() -> None:
    generator = network(end_token=2, pad_token=0, start_token=1)
    tokens = generator.sample(200, seed=0).tensor
    mask = token_mask(tokens, 2)
    assert not tokens[~mask].any()
    lengths = mask.sum(1)
    assert len(lengths.unique()) >= 5


def test_options_restrict_what_is_drawn() -> None:
    generator = network()
    best, state = [], generator.begin(1)
    inputs = torch.zeros(1, dtype=torch.int64)
    with torch.no_grad():
        for _ in range(7):
            hidden, state = generator.step(inputs, state)
            inputs = generator.head(hidden).argmax(1)
            best.append(int(inputs))
    assert generator.sample(5, seed=0, top_k=1).tensor.tolist() == [best] * 5
    assert generator.sample(5, seed=0, temperature=1e-3).tensor.tolist() == [best] * 5
    assert generator.sample(5, seed=0, top_p=1e-6).tensor.tolist() == [best] * 5
    flat = generator.sample(300, seed=0, temperature=1e6).tensor
    assert flat.unique().tolist() == list(range(13))


@pytest.mark.parametrize(
    "options", [{"temperature": 0}, {"temperature": -1.0}, {"top_k": 0}, {"top_p": 1.5}, {"truncation": 0.5}]
)
def test_options_that_cannot_be_used(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError):
        network().sample(1, seed=0, **options)


def with_words() -> LSTMGenerator:
    tokenizer = WordTokenizer(["the", "man", "dog", "sees", "a"])
    table = encode_tokenizer(tokenizer)
    generator = network(vocab_size=9, start_token=1, end_token=2, pad_token=0, tokenizer_bytes=len(table))
    generator.set_tokenizer(tokenizer)
    return generator


def test_a_prompt_is_continued() -> None:
    generator = with_words().requires_grad_(False)
    samples = generator.sample(50, seed=0, prompt="the man")
    assert samples.tensor[:, :2].tolist() == [[4, 5]] * 50
    assert all(text.startswith("the man") for text in samples.text)
    assert len(samples.tensor[:, 2:].unique(dim=0)) > 10
    # The rest is drawn given the prompt: it follows the model's own probabilities.
    p = generator.logits(samples.tensor[:1])[0, 2].softmax(0)
    third = generator.sample(5000, seed=1, prompt="the man").tensor[:, 2].bincount(minlength=9) / 5000
    assert float((third - p).abs().max()) < 5 * 0.5 / 5000**0.5
    assert torch.equal(generator.sample(3, seed=0, prompt="").tensor, generator.sample(3, seed=0).tensor)


@pytest.mark.parametrize("prompt", [5, ["the"], b"the", True, "the \udcff"])
def test_a_prompt_that_is_no_text(prompt: object) -> None:
    with pytest.raises(InvalidValueError, match=r"A prompt is text, not ") as caught:
        with_words().sample(1, seed=0, prompt=prompt)
    assert repr(prompt) in str(caught.value)


def test_prompts_that_cannot_be_used() -> None:
    generator = with_words()
    with pytest.raises(InvalidValueError, match="zebra"):
        generator.sample(1, seed=0, prompt="the zebra")
    assert generator.sample(1, seed=0, prompt="the man sees the dog a").tensor.shape == (1, 7)
    with pytest.raises(InvalidValueError, match="7 tokens; this model writes sentences of 7"):
        generator.sample(1, seed=0, prompt="the man sees the dog a man")


def test_a_tokenizer_travels_with_the_weights() -> None:
    generator = with_words()
    twin = build(LSTMGenerator, generator.config, generator.state_dict())
    assert twin.sample(4, seed=3).text == generator.sample(4, seed=3).text


@pytest.mark.parametrize("options", VARIANTS, ids=lambda o: "-".join(o) or "plain")
def test_config_and_weights_round_trip(options: dict[str, Any]) -> None:
    generator = network(**options)
    twin = build(LSTMGenerator, generator.config, generator.state_dict())
    assert twin.config == generator.config
    assert torch.equal(twin.sample(20, seed=3).tensor, generator.sample(20, seed=3).tensor)
    if generator.config["tied"]:
        assert twin.head.weight is twin.embedding.weight


def test_initial_weights() -> None:
    generator = network(vocab_size=4000, init_std=0.1).requires_grad_(False)
    for name in ("embedding.weight", "head.weight", "head.bias", "lstm.bias_ih_l0"):
        std = float(generator.get_parameter(name).std())
        assert std == pytest.approx(0.1, rel=0.5 if "lstm" in name else 0.05), name
    assert not generator.lstm.bias_hh_l0.any()
    assert network(init_std=None).lstm.bias_hh_l0.any()


def test_doubling_shares_nothing_and_keeps_ties() -> None:
    generator = network(tied=True, embedding_size=6)
    twin = doubled(generator)
    assert twin.head.weight is twin.embedding.weight
    assert twin.head.weight.dtype == torch.float64
    assert twin.lstm.weight_hh_l0.dtype == torch.float64
    twin.head.weight.zero_()
    assert generator.head.weight.any()
    assert generator.head.weight.dtype == torch.float32


def test_coarse_uniform_numbers_are_refused() -> None:
    generator = network()
    with pytest.raises(InvalidValueError, match="too coarse"):
        generator(generator.latents([0]).half())


def test_weights_in_half_precision_write_as_their_values_do() -> None:
    generator = network().half()
    written = generator.sample(20, seed=0).tensor
    assert torch.equal(written, generator.float().sample(20, seed=0).tensor)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"vocab_size": 0}, "not 0 tokens"),
        ({"max_length": 0}, "0 places"),
        ({"start_token": 13}, "start token 13"),
        ({"end_token": -1}, "end token -1"),
        ({"end_token": 2}, "need a pad_token"),
        ({"hidden_size": 0}, "'hidden_size' must be a whole number from 1"),
        ({"dropout": 1.0}, "'dropout' must be from 0 to less than 1"),
        ({"init_std": 0.0}, "init_std"),
        ({"tokenizer_bytes": -1}, "tokenizer_bytes"),
    ],
)
def test_configurations_that_cannot_be_used(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        network(**options)

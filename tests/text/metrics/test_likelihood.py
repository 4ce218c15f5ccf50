"""NLL under the model itself, and the scores of n-gram language models."""

import math

import pytest
import torch

from ganzoo.errors import DataError, InvalidValueError
from ganzoo.metrics import Decoding, builtin_metrics, evaluate_generator
from ganzoo.text.metrics import KneserNey, text_likelihood, token_likelihood
from tests.metrics.text_toys import LINES, Bigrams, bigrams, silent, texts, with_latent

OTHERS = ["c b", "a a", "b b b q", "a c b"]


def test_a_uniform_model_by_hand() -> None:
    """Four words to choose from, the end among them: log 4 a token, whatever the text."""
    found = text_likelihood(bigrams(), ["a b", "c"])
    assert found.nll == pytest.approx(math.log(4), abs=1e-6) and found.perplexity == pytest.approx(4, abs=1e-5)
    assert found.tokens == 3 + 2 and found.unknown == 0.0  # with their ends; padding does not count


def test_the_end_of_a_full_row_and_of_a_cut_text_is_not_there() -> None:
    assert text_likelihood(bigrams(), ["a b c a b", "a b c a b c a"]).tokens == 5 + 5


def test_the_temperature_is_that_of_the_samples() -> None:
    """Logits 2 and 0 of two words, nothing else: at temperature t the first has the probability 1 / (1 + exp(-2 / t))."""
    table = torch.full((7, 7), -1000.0)
    table[:, 4], table[:, 5] = 2.0, 0.0
    generator = bigrams(table)
    word = generator.tokenizer.vocabulary[4]
    for temperature in (0.5, 1.0, 2.0):
        found = text_likelihood(generator, [" ".join([word] * 5)], temperature=temperature)
        assert found.nll == pytest.approx(math.log(1 + math.exp(-2 / temperature)), abs=1e-6)


def test_however_low_the_temperature_the_likeliest_tokens_are_certain() -> None:
    """And all others impossible; what is damaged is still told apart, see below."""
    table = torch.zeros(7, 7)
    table[:, 4] = 0.5
    generator = bigrams(table)
    word = generator.tokenizer.vocabulary[4]
    likely, other = " ".join([word] * 5), " ".join([generator.tokenizer.vocabulary[5]] * 5)
    for temperature in (1e-310, 1e-40, 1e-5):
        assert text_likelihood(generator, [likely], temperature=temperature).nll == 0
    assert text_likelihood(generator, [other], temperature=1e-5).nll == pytest.approx(0.5e5)
    assert text_likelihood(generator, [other], temperature=1e-5).perplexity == math.inf
    assert text_likelihood(generator, [other], temperature=1e-310).nll == math.inf


def test_texts_that_are_cut_are_counted() -> None:
    lines = ["a b c a b c a", "a b c a b", "a", "c c c c c c"]
    assert text_likelihood(bigrams(), lines).cut == 0.5
    assert text_likelihood(Bigrams(6, 4), ["1 2 3 4", "1 2 3 4 5"]).cut == 0.5
    found = evaluate_generator(
        bigrams(), texts(lines, "long"), held_out=texts(OTHERS), metrics=builtin_metrics("nll"), samples=8, controls=False
    )
    assert (found.model.figures["cut-reference"], found.model.figures["cut-held-out"]) == (0.5, 0.0)


def test_a_text_has_no_likelihood_where_sentences_are_made_from_a_latent() -> None:
    with pytest.raises(InvalidValueError, match="makes sentences from a latent"):
        text_likelihood(with_latent(), LINES)


def test_unknown_words_are_counted() -> None:
    table = torch.zeros(7, 7)
    assert text_likelihood(bigrams(table), ["a q", "q q q q q"]).unknown == 6 / 8


def test_many_texts_and_the_mode_of_the_network() -> None:
    generator = bigrams(torch.randn(7, 7, generator=torch.Generator().manual_seed(0))).train()
    tokens = generator.tokenizer.batch(LINES * 40, 5)
    whole = token_likelihood(generator, tokens)
    assert whole.nll == pytest.approx(token_likelihood(generator, tokens[:8]).nll, abs=1e-6) and whole.tokens == 40 * 24
    assert generator.training


def test_the_metric_looks_at_reference_and_held_out_texts() -> None:
    metrics, held_out = builtin_metrics("nll"), texts(OTHERS, "others")
    found = evaluate_generator(bigrams(), texts(), held_out=held_out, samples=8, metrics=metrics, decoding=Decoding(0.5))
    model, _, real, untrained = found.measurements
    expected = text_likelihood(bigrams(), OTHERS, temperature=0.5)
    assert model.figures["nll-held-out"] == expected.nll and model.figures["unknown-held-out"] == expected.unknown > 0
    assert model.figures["perplexity-reference"] == pytest.approx(4, abs=1e-5)
    assert real.figures == {} and untrained.figures["nll-reference"] > model.figures["nll-reference"]


def test_what_has_no_likelihood() -> None:
    with pytest.raises(InvalidValueError, match="at least one text"):
        text_likelihood(bigrams(), [])
    broken = bigrams(torch.full((7, 7), math.nan))
    with pytest.raises(DataError, match="is no number"):
        text_likelihood(broken, ["a"])
    with pytest.raises(DataError, match="every one must have 4"):
        text_likelihood(Bigrams(6, 4), ["1 2"])


def test_lm_and_reverse_lm() -> None:
    metrics, held_out = builtin_metrics("lm", "reverse-lm"), texts(OTHERS, "others")
    found = evaluate_generator(bigrams(), texts(), held_out=held_out, samples=30, seed=2, metrics=metrics, controls=False)
    model, _, real = found.measurements
    made = [text.split() for text in bigrams().sample(30, seed=2).text]
    reference, others = ([line.split() for line in lines] for lines in (LINES, OTHERS))
    forward, backward = KneserNey(reference), KneserNey(made, vocabulary="abc")
    assert model.figures == {
        "lm-perplexity": forward.perplexity(made),
        "reverse-lm-perplexity": backward.perplexity(reference),
        "reverse-lm-held-out": backward.perplexity(others),
    }
    assert real.figures["lm-perplexity"] == forward.perplexity(others) and "reverse-lm-held-out" not in real.figures


def test_a_collapsed_model_is_fluent_but_predicts_nothing() -> None:
    """One good sentence again and again: a low LM score, and a reverse score that gives it away."""
    corpus = [["the", "old", "man", verb, "the", noun] for verb in ("sees", "finds") for noun in ("dog", "house", "river")]
    judge = KneserNey(corpus)
    collapsed, good = [corpus[0]] * 6, corpus
    assert judge.perplexity(collapsed) <= judge.perplexity(good) * 1.01
    scores = [KneserNey(made, judge.vocabulary).perplexity(corpus) for made in (collapsed, good)]
    assert scores[0] > 2 * scores[1]


def test_few_words_in_the_samples_do_not_make_the_reverse_score_look_good() -> None:
    """The model never says ``b``: that word keeps a share of its own instead of being one of the unknown ones."""
    found = evaluate_generator(silent(), texts(), samples=10, metrics=builtin_metrics("reverse-lm"), controls=False)
    made, reference = [text.split() for text in silent().sample(10, seed=0).text], [line.split() for line in LINES]
    assert found.model.figures["reverse-lm-perplexity"] == KneserNey(made, "abc").perplexity(reference)
    assert KneserNey(made).perplexity(reference) < KneserNey(made, "abc").perplexity(reference)

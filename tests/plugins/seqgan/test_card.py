"""The weights of ``seqgan-wordnet`` that ship: what the card claims, with few samples so that it takes seconds."""

import pytest
import torch

import ganzoo
from ganzoo_wordnet.glosses import wordnet_glosses
from tests.support.cards import golden_values

CARD = "seqgan-wordnet"


def test_the_golden_tokens_come_out() -> None:
    found, claimed, atol = golden_values(CARD)
    assert found == pytest.approx(claimed, abs=atol)


def test_sentences_are_words_of_the_corpus_and_hardly_ever_repeat() -> None:
    texts = ganzoo.load(CARD).sample(400, seed=11).text
    assert len(set(texts)) > 0.97 * len(texts)
    assert sum(len(text.split()) for text in texts) / len(texts) == pytest.approx(8.5, abs=2)
    known = set(wordnet_glosses(split="train").lines)
    assert sum(text in known for text in texts) / len(texts) < 0.05


def test_a_prompt_is_continued() -> None:
    texts = ganzoo.load(CARD).sample(5, seed=0, prompt="the man").text
    assert len(texts) == 5 and all(text.startswith("the man") for text in texts)


def test_held_out_sentences_are_as_likely_as_the_card_says() -> None:
    generator = ganzoo.load(CARD)
    tokens = generator.tokenizer.batch(wordnet_glosses(split="test").lines, generator.max_length)
    with torch.inference_mode():
        found = generator.log_prob(tokens)
    ends = (tokens == generator.end_token).cumsum(1)
    counting = (ends == 0) | ((ends == 1) & (tokens == generator.end_token))
    claimed = {m.figures["nll-held-out"] for m in ganzoo.model_card(CARD).metrics if m.of == "model"}
    assert {round(float(-found.sum() / counting.sum()), 3)} == {round(value, 3) for value in claimed}


def test_the_judge_tells_real_sentences_from_shuffled_ones() -> None:
    judge, generator = ganzoo.load(CARD, role="discriminator"), ganzoo.load(CARD)
    lines = wordnet_glosses(split="test").lines[:200]
    shuffled = [" ".join(sorted(line.split())) for line in lines]
    with torch.inference_mode():
        real, broken = (judge(generator.tokenizer.batch(each, generator.max_length)).mean() for each in (lines, shuffled))
    assert real > broken + 0.4


def test_the_card_is_small_and_has_its_baseline_beside() -> None:
    card = ganzoo.model_card(CARD)
    assert card.size < 5_000_000
    assert [m.of for m in card.metrics] == [
        "model",
        "maximum likelihood alone",
        "model",
        "held-out real data",
        "random initialisation",
    ]

"""The weights of ``r3gan-emoji-32`` that ship: what the card claims, with few samples so that it takes seconds."""

import os

import pytest
import torch

import ganzoo
from ganzoo.metrics.modes import votes
from ganzoo_emoji.features import EmojiFeatures
from tests.support.cards import golden_values

CARD = "r3gan-emoji-32"
_PACKAGE = os.environ.get("GANZOO_EMOJI")  # read before the tests' fixtures clear the environment


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    samples = ganzoo.load(CARD, role="generator").sample(500, seed=11)
    return samples.to_uint8().permute(0, 3, 1, 2).float() / 127.5 - 1


def test_the_golden_values_come_out() -> None:
    found, claimed, atol = golden_values(CARD)
    assert found == pytest.approx(claimed, abs=atol)


def test_the_files_are_small_and_the_pair_fits(pictures: torch.Tensor) -> None:
    assert ganzoo.model_card(CARD).size < 8_000_000
    discriminator = ganzoo.load(CARD, role="discriminator")
    with torch.inference_mode():
        assert discriminator(pictures[:4]).shape == (4,)


def test_samples_are_of_every_category_and_none_is_like_another(pictures: torch.Tensor) -> None:
    space = EmojiFeatures()
    scores = space(pictures).scores
    assert scores is not None
    shares = votes(scores) / len(pictures)
    assert len(shares) == len(space.classes) == 9 and float(shares.min()) > 0.003
    flat = pictures.flatten(1)
    distances = torch.cdist(flat, flat).fill_diagonal_(torch.inf).min(1).values
    assert float(distances.min()) > 0.05 * float(flat.std() * flat.shape[1] ** 0.5)


def test_the_card_says_how_to_make_it_again() -> None:
    card = ganzoo.model_card(CARD)
    assert card.training is not None and card.training.command is not None and card.training.seed == 0
    assert card.training.command.startswith("ganzoo train r3gan --data emoji") and "--images 160000" in card.training.command
    measured = {(m.of, m.samples) for m in card.metrics}
    assert measured == {
        ("model", 5000),
        ("model", 283),
        ("held-out real data", 283),
        ("random initialisation", 5000),
    }


@pytest.mark.skipif(not _PACKAGE, reason="set GANZOO_EMOJI to the folder or .tgz of the npm package")
def test_the_card_tells_the_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    from ganzoo.metrics import evaluate_generator
    from ganzoo_emoji.emoji import emoji

    monkeypatch.setenv("GANZOO_EMOJI", str(_PACKAGE))
    generator = ganzoo.load(CARD, role="generator")
    found = evaluate_generator(generator, emoji(split="train"), EmojiFeatures(), samples=283, seed=0, controls=False)
    (claimed,) = [m.figures for m in ganzoo.model_card(CARD).metrics if m.of == "model" and m.samples == 283]
    for name in ("frechet-distance", "precision", "recall"):
        assert found.model.figures[name] == pytest.approx(claimed[name], rel=0.02), name

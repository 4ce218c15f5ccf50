"""The catalogue's StyleGAN3, and the way from a pickle to images."""

from pathlib import Path

import pytest
import torch

import ganzoo
from ganzoo.spec import HubSource
from ganzoo_stylegan.stylegan3.networks import StyleGAN3Generator
from tests.support.packs import GOLDEN


def test_the_card_says_what_is_known_and_what_is_not() -> None:
    card = ganzoo.model_card("stylegan3-lhq-256")
    assert (card.architecture, card.plugin, card.weights, card.verified) == ("stylegan3", "stylegan", "ema", False)
    assert isinstance(card.source, HubSource)
    assert (card.licence.weights, card.licence.commercial) == ("MIT", False)
    (file,) = card.files
    assert (file.format, file.path.endswith(".pkl")) == ("pickle", True)


@pytest.mark.parametrize("kind", ["t", "r"])
def test_from_a_pickle_to_images_and_on_to_a_folder(kind: str, tmp_path: Path) -> None:
    made = ganzoo.load(GOLDEN / f"stylegan3_{kind}.pkl", architecture="stylegan3", role="generator")
    assert isinstance(made, StyleGAN3Generator)
    options = {"c": 1} if made.num_classes else {}
    images = made.sample(3, seed=0, truncation=0.7, rotation=15.0, **options).tensor
    assert images.shape == (3, *made.output_shape)
    assert bool(images.isfinite().all())
    twin = StyleGAN3Generator(**made.config).eval()
    twin.load_state_dict(made.state_dict())
    assert torch.equal(twin.sample(3, seed=0, truncation=0.7, rotation=15.0, **options).tensor, images)

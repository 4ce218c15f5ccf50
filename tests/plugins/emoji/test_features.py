import hashlib
import os
from importlib.resources import files
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

import ganzoo_emoji
from ganzoo.errors import DataError
from ganzoo.metrics import frechet_from_features
from ganzoo.resources import open_features
from ganzoo.targets import import_target
from ganzoo_emoji import train_classifier
from ganzoo_emoji.emoji import CATEGORIES, emoji
from ganzoo_emoji.features import EmojiFeatures
from ganzoo_emoji.train_classifier import accuracy, distort, half, load, spoil

SUBSET = Path(__file__).parent / "subset.tgz"
WHOLE = os.environ.get("GANZOO_EMOJI")  # before the tests are isolated
needs_the_package = pytest.mark.skipif(not WHOLE, reason="set GANZOO_EMOJI to the folder or .tgz of the npm package")


@pytest.fixture(autouse=True)
def subset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANZOO_EMOJI", str(SUBSET))


def pictures(split: str = "all", size: int = 32) -> Tensor:
    return emoji(split=split).prepare((3, size, size)).values.float() / 127.5 - 1


def distances(reference: Tensor, damaged: list[Tensor]) -> list[float]:
    space = EmojiFeatures()
    real = space(reference).features
    return [frechet_from_features(space(images.clamp(-1, 1)).features, real) for images in damaged]


def noisy(images: Tensor, deviation: float) -> Tensor:
    return images + deviation * torch.randn(images.shape, generator=torch.Generator().manual_seed(0))


def coarse(images: Tensor, block: int) -> Tensor:
    return F.interpolate(F.avg_pool2d(images, block), scale_factor=block)


def inverted(images: Tensor, share: float) -> Tensor:
    count = round(share * len(images))
    return torch.cat([-images[:count], images[count:]])


def shuffled(images: Tensor, share: float) -> Tensor:
    pixels = images.flatten(2).clone()
    chosen = torch.randperm(pixels.shape[2], generator=torch.Generator().manual_seed(0))[: round(share * pixels.shape[2])]
    pixels[..., chosen] = pixels[..., chosen.roll(1)]
    return pixels.view_as(images)


# --- what it promises -------------------------------------------------------------------------------------------------


def test_what_it_promises() -> None:
    space = open_features("emoji")
    content = (files("ganzoo_emoji") / "weights/classifier.safetensors").read_bytes()
    assert isinstance(space, EmojiFeatures)
    assert space.sha256 == hashlib.sha256(content).hexdigest() and len(content) < 1_000_000
    found = space(torch.zeros(3, 3, 32, 32))
    assert found.features.shape == (3, 96) and found.scores is not None and found.scores.shape == (3, 9)
    assert found.features.min() >= 0 and found.features.dtype == torch.float32 and not found.features.requires_grad
    assert (space.name, space.classes) == ("emoji", CATEGORIES)


def test_the_hook_names_what_can_be_imported() -> None:
    (part,) = ganzoo_emoji.ganzoo_features()
    assert import_target(part.target, "the feature space", part.extra) is EmojiFeatures


def test_grey_pictures_are_seen_as_grey_colours() -> None:
    grey = pictures().mean(1, keepdim=True)
    space = EmojiFeatures()
    assert torch.equal(space(grey).features, space(grey.expand(-1, 3, -1, -1)).features)


def test_the_size_of_a_picture_hardly_matters() -> None:
    """64 pixels are brought to 32 as the data set itself does it; nearest-neighbour scaling would be far off."""
    space = EmojiFeatures()
    small, large = space(pictures(size=32)).features, space(pictures(size=64)).features
    assert (small - large).abs().mean() < 0.02 * small.mean()
    aliased = space(pictures(size=64)[..., ::2, ::2]).features
    assert (small - aliased).abs().mean() > 5 * (small - large).abs().mean()


def test_the_features_of_an_image_do_not_depend_on_its_batch() -> None:
    images, space = pictures(), EmojiFeatures()
    assert torch.allclose(space(images).features[2:3], space(images[2:3]).features, atol=1e-4)


@pytest.mark.parametrize("shape", [(1, 4, 8, 8), (3, 8, 8), (2, 3)])
def test_other_tensors_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="emoji features need images"):
        EmojiFeatures()(torch.zeros(shape))


def test_weights_of_another_network_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganzoo.metrics.spaces.bundled.load", lambda _: {"classes.weight": torch.zeros(9, 96)})
    with pytest.raises(DataError, match="does not fit its classifier"):
        EmojiFeatures()


# --- that distances mean something ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("damage", "amounts"),
    [(noisy, (0.1, 0.3, 0.9)), (coarse, (2, 4, 8)), (inverted, (0.25, 0.5, 1)), (shuffled, (0.05, 0.3, 1))],
)
def test_distances_grow_with_the_damage(damage, amounts: tuple[float, ...]) -> None:
    images = pictures()
    found = distances(images, [images, *(damage(images, amount) for amount in amounts)])
    assert found[0] == pytest.approx(0, abs=1e-3)
    assert found == sorted(found) and found[1] > 0.1 and found[-1] > 2 * found[1]


@pytest.fixture(scope="module")
def whole() -> dict[str, tuple[Tensor, Tensor]]:
    """Pictures and categories of the real package's splits; reading them takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANZOO_EMOJI", str(WHOLE))
        return {split: load(split)[:2] for split in ("train", "test")}


@needs_the_package
def test_held_out_emoji_are_nearer_than_damaged_ones(whole: dict[str, tuple[Tensor, Tensor]]) -> None:
    images, _ = whole["test"]
    worst = [noisy(images, 0.9), coarse(images, 8), inverted(images, 1), shuffled(images, 1)]
    unseen, *damaged = distances(whole["train"][0], [images, *worst])
    assert 0 < unseen < min(damaged) / 8


@needs_the_package
@pytest.mark.parametrize(("split", "least"), [("train", 0.86), ("test", 0.77)])  # 0.880 and 0.795 when it was trained
def test_emoji_are_recognised(whole: dict[str, tuple[Tensor, Tensor]], split: str, least: float) -> None:
    images, categories = whole[split]
    scores = EmojiFeatures()(images).scores
    assert scores is not None and (scores.argmax(1) == categories).float().mean() >= least


# --- how it was trained -----------------------------------------------------------------------------------------------


def test_distortions_keep_the_background_white_and_the_picture_whole() -> None:
    torch.manual_seed(0)
    images = torch.full((50, 3, 32, 32), 1.0)
    images[:, :, 12:20, 12:20] = torch.tensor([-1.0, 0.0, 0.5]).view(3, 1, 1)
    moved = distort(images)
    assert torch.equal(moved[:, :, 0, 0], torch.ones(50, 3)) and moved.min() >= -1 and moved.max() <= 1
    area = (moved[:, 0] < 0).sum((1, 2)).float() / 64
    assert area.min() > 0.6 and area.max() < 1.6
    darkest = moved.amin((2, 3))
    assert (darkest - torch.tensor([-1.0, 0.0, 0.5])).abs().max() < 0.31
    assert (darkest.argmin(1) == 0).all() and not torch.equal(moved[0], moved[1])


def test_about_half_of_the_pictures_are_mirrored() -> None:
    torch.manual_seed(0)
    images = torch.full((200, 3, 32, 32), 1.0)
    images[..., 8:24, 4:16] = -1.0
    left, right = (distort(images)[..., part] for part in (slice(0, 16), slice(16, 32)))
    mirrored = (left.mean((1, 2, 3)) > right.mean((1, 2, 3))).float().mean()
    assert 0.4 < mirrored < 0.6


def test_what_is_no_emoji_is_mixed_reordered_or_made_up() -> None:
    torch.manual_seed(0)
    images = torch.stack([torch.linspace(-1, 1, 3 * 32 * 32).view(3, 32, 32), torch.full((3, 32, 32), 1.0)]).repeat(
        150, 1, 1, 1
    )
    kinds = {"reordered": 0, "mixed": 0, "made up": 0}
    for before, other, after in zip(images, images.roll(1, 0), spoil(images), strict=True):
        share = ((after - before) / (other - before)).flatten()[:-1]  # at the last pixel both are 1
        if torch.equal(after.flatten().sort().values, before.flatten().sort().values):
            kinds["reordered"] += 1
        elif share.max() - share.min() < 1e-2:
            assert 0.29 < share.mean() < 0.71
            kinds["mixed"] += 1
        else:
            assert after.min() >= -1 and after.max() <= 1
            kinds["made up"] += 1
    assert all(70 < count < 130 for count in kinds.values()), kinds


def test_the_tiles_are_moved_whole() -> None:
    torch.manual_seed(3)
    numbered = torch.arange(16.0).view(1, 1, 4, 4).expand(30, 3, 4, 4).repeat_interleave(8, 2).repeat_interleave(8, 3)
    for found in spoil(numbered):
        if torch.equal(found.flatten().sort().values, numbered[0].flatten().sort().values):
            tiles = found.unfold(1, 8, 8).unfold(2, 8, 8).flatten(3)
            assert torch.equal(tiles.amin(3), tiles.amax(3)) and not torch.equal(found, numbered[0])
            return
    pytest.fail("no picture was reordered")


def test_pictures_come_with_category_and_subcategory() -> None:
    images, categories, subcategories = load("all")
    names = [texts[0] for texts in emoji(split="all").captions or ()]
    assert images.shape == (24, 3, 32, 32) and images.min() >= -1 and images.max() == 1
    found = dict(zip(names, zip(categories.tolist(), subcategories.tolist(), strict=True), strict=True))
    assert found["red apple"][0] == CATEGORIES.index("Food & Drink")
    pairs = set(found.values())
    assert len({sub for _, sub in pairs}) == len(pairs) > 9  # each subcategory lies in one category


def test_training_repeats_and_learns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_classifier, "BATCH", 4)
    one, other = train_classifier.train(seed=0, epochs=2), train_classifier.train(seed=0, epochs=2)
    different = train_classifier.train(seed=1, epochs=2)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    assert not torch.equal(one.hidden.weight, different.hidden.weight)
    assert accuracy(train_classifier.train(seed=0, epochs=25), "train") > accuracy(one, "train")


def test_the_command_writes_half_precision_and_says_how_good_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["train_classifier", str(tmp_path / "x.safetensors"), "--epochs", "1"])
    train_classifier.main()
    from ganzoo.checkpoint import read_safetensors

    written, _ = read_safetensors(tmp_path / "x.safetensors")
    assert written.keys() == half(EmojiFeatures()._network).keys()
    assert {value.dtype for value in written.values()} == {torch.float16}
    assert capsys.readouterr().out.startswith("categories recognised: emoji/train 0.")

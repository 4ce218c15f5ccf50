import io
import json
import os
import shutil
import tarfile
from pathlib import Path

import pytest
import torch
from PIL import Image

from ganzoo.data import TensorDataset
from ganzoo.errors import DataError, InvalidValueError
from ganzoo_emoji import package as package_module
from ganzoo_emoji.emoji import CATEGORIES, SPLITS, emoji, read_index

SUBSET = Path(__file__).parent / "subset.tgz"
WHOLE = os.environ.get("GANZOO_EMOJI")  # before the tests are isolated
INSTALL = "npm install emoji-datasource-google@16.0.0"


@pytest.fixture
def subset(monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANZOO_EMOJI", str(SUBSET))
    return SUBSET


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    with tarfile.open(SUBSET) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    return tmp_path / "unpacked" / "package"


def names(data: TensorDataset) -> list[str]:
    assert data.captions is not None
    return [texts[0] for texts in data.captions]


def test_pictures_have_a_category_and_a_name(subset: Path) -> None:
    data = emoji(split="all")
    assert data.images.shape == (24, 3, 64, 64) and data.name == "emoji/all"
    assert data.class_names == CATEGORIES and data.labels is not None
    assert data.labels.unique().tolist() == list(range(9))
    found = {name: CATEGORIES[label] for name, label in zip(names(data), data.labels.tolist(), strict=True)}
    assert found["red apple"] == "Food & Drink" and found["dog face"] == "Animals & Nature"
    assert "Apache-2.0" in str(data.licence) and "MIT" in str(data.licence)


def test_transparency_is_laid_on_white(subset: Path) -> None:
    data = emoji(split="all")
    heart = data.images[names(data).index("heavy black heart")]
    assert heart[:, 0, 0].tolist() == [255, 255, 255]
    with tarfile.open(SUBSET) as archive:
        member = archive.extractfile("package/img/google/64/2764-fe0f.png")
        assert member is not None
        picture = Image.open(io.BytesIO(member.read())).convert("RGBA")
    r, g, b, a = picture.getpixel((32, 32))  # type: ignore[misc]
    assert a == 255 and heart[:, 32, 32].tolist() == [r, g, b]


def test_the_splits_share_no_emoji_and_no_picture(subset: Path) -> None:
    data = {split: emoji(split=split) for split in SPLITS}
    for tones in ("", "-tones"):
        train, test, whole = (data[f"{part}{tones}"] for part in ("train", "test", "all"))
        pixels = [{image.numpy().tobytes() for image in part.images} for part in (train, test)]
        assert len(train) + len(test) == len(whole) and not pixels[0] & pixels[1]
        assert not set(names(train)) & set(names(test))
    assert len(data["all-tones"]) - len(data["all"]) == 4
    assert (
        len({data[split].sha256 for split in SPLITS} - {data["test"].sha256}) == len(SPLITS) - 2
    )  # no tones are held out here


def test_variants_stay_in_one_split(subset: Path) -> None:
    train, test = names(emoji(split="train-tones")), names(emoji(split="test-tones"))
    for word in ("astronaut", "runn", "clock face", "keycap", "christmas"):
        assert sum(any(word in name for name in found) for found in (train, test)) == 1, word
    flags = {"france flag", "clipperton island flag"}  # one picture
    assert flags <= set(train) or flags <= set(test)


def test_skin_tones_are_named(subset: Path) -> None:
    found = names(emoji(split="all-tones"))
    assert [n for n in found if n.startswith("waving")] == [
        "waving hand sign, light skin tone",  # in the order of the file names
        "waving hand sign, dark skin tone",
        "waving hand sign",
    ]


def test_the_content_is_pinned(subset: Path) -> None:
    """The same pixels on every machine: figures that cite the hash can be compared."""
    assert emoji(split="all-tones").sha256 == "cf31419c9b314ac9041e5671e6161ece64c40f1e553cf6fb9089937d67f8fb6f"


def test_a_folder_and_an_archive_are_the_same(subset: Path, unpacked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = emoji(split="all-tones")
    monkeypatch.setenv("GANZOO_EMOJI", str(unpacked))
    assert emoji(split="all-tones").sha256 == expected.sha256


def test_node_modules_of_this_folder_or_one_above_are_found(
    unpacked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "work" / "node_modules").mkdir(parents=True)
    (tmp_path / "work" / "deep" / "er").mkdir(parents=True)
    shutil.move(unpacked, tmp_path / "work" / "node_modules" / "emoji-datasource-google")
    monkeypatch.chdir(tmp_path / "work" / "deep" / "er")
    assert len(emoji(split="all")) == 24


def test_when_nothing_is_found_the_command_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=INSTALL):
        emoji()
    monkeypatch.setenv("GANZOO_EMOJI", str(tmp_path / "nowhere.tgz"))
    with pytest.raises(DataError, match=r"GANZOO_EMOJI names .*nowhere\.tgz, which does not exist"):
        emoji()


def test_there_is_no_other_split(subset: Path) -> None:
    with pytest.raises(InvalidValueError, match="no split 'validation'"):
        emoji(split="validation")


# --- damaged and hostile packages -------------------------------------------------------------------------------------


def test_a_missing_and_a_damaged_picture_are_named(unpacked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANZOO_EMOJI", str(unpacked))
    picture = unpacked / "img" / "google" / "64" / "1f34e.png"
    picture.write_bytes(picture.read_bytes()[:300])
    with pytest.raises(DataError, match=rf"1f34e\.png is damaged(.|\n)*{INSTALL}"):
        emoji()
    picture.unlink()
    with pytest.raises(DataError, match=r"lists 1f34e\.png, which is not in img/google/64"):
        emoji()
    shutil.rmtree(picture.parent)
    with pytest.raises(DataError, match="has no folder img/google/64"):
        emoji()
    (unpacked / "emoji.json").unlink()
    with pytest.raises(DataError, match=r"emoji\.json cannot be read: No such file"):
        emoji()


@pytest.mark.parametrize(
    "content", [b"", b"[", b"[]", b"{}", b'[{"category": "Symbols"}]', b'[{"category": "Weird"}]', b'["x"]', b"\xff"]
)
def test_an_index_that_is_none(content: bytes) -> None:
    with pytest.raises(DataError, match=r"emoji\.json (is not an index of emoji|lists no emoji)"):
        read_index(content)


def made(path: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return path


def member(name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = len(content), kind, "/etc/passwd"
    return info, content


@pytest.mark.parametrize("content", [b"", b"no archive", SUBSET.read_bytes()[:20_000]])
def test_a_file_that_is_no_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    (tmp_path / "x.tgz").write_bytes(content)
    monkeypatch.setenv("GANZOO_EMOJI", str(tmp_path / "x.tgz"))
    with pytest.raises(DataError, match=r"x\.tgz cannot be read as a package of npm|lists .* which is not in"):
        emoji()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE])
def test_links_in_place_of_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: bytes) -> None:
    path = made(tmp_path / "x.tgz", [member("package/emoji.json", kind=kind)])
    monkeypatch.setenv("GANZOO_EMOJI", str(path))
    with pytest.raises(DataError, match=r"package/emoji\.json in .* is no file of at most"):
        emoji()


def test_bombs_are_refused_before_they_are_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANZOO_EMOJI", str(tmp_path / "x.tgz"))
    made(tmp_path / "x.tgz", [member("package/img/google/64/a.png", bytes(2**19))])
    with pytest.raises(DataError, match=r"a\.png in .* is no file of at most 262144 bytes"):
        emoji()
    monkeypatch.setattr(package_module, "_MOST_FILES", 10)
    made(tmp_path / "x.tgz", [member(f"package/{i}") for i in range(11)])
    with pytest.raises(DataError, match="more than 10 files"):
        emoji()


def test_names_that_lead_elsewhere_touch_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is ever written, so such names are only names: the picture that they claim to be is not found."""
    entry = {"category": "Symbols", "subcategory": "x", "unified": "2764", "name": "X", "has_img_google": True}
    index = json.dumps([{**entry, "image": "../../out.png"}]).encode()
    path = made(tmp_path / "x.tgz", [member("package/emoji.json", index), member("package/img/google/64/../../out.png", b"x")])
    monkeypatch.setenv("GANZOO_EMOJI", str(path))
    with pytest.raises(DataError, match=r"lists \.\./\.\./out\.png, which is not in"):
        emoji()
    assert [file.name for file in tmp_path.iterdir()] == ["x.tgz"]


@pytest.mark.skipif(not WHOLE, reason="set GANZOO_EMOJI to the folder or .tgz of emoji-datasource-google 16.0.0")
def test_the_real_package_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside of the isolation of the tests there may be the whole package: its splits are pinned."""
    monkeypatch.setenv("GANZOO_EMOJI", str(WHOLE))
    counts = {split: len(emoji(split=split)) for split in SPLITS}
    assert counts == {"train": 1623, "test": 283, "all": 1906, "train-tones": 3173, "test-tones": 608, "all-tones": 3781}
    assert emoji().sha256.startswith("661f64da519f")
    assert torch.equal(emoji().prepare((3, 64, 64)).values, emoji().images)

import errno
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganzoo.data import ImageFolder, open_pictures, preparing
from ganzoo.data.preparing import CROPS, Wanted, prepare_pictures
from ganzoo.errors import DataError, OutputError

CENTER_16 = Wanted(size=(16, 16))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Two classes of noise with captions, in sizes and modes that have to be dealt with."""
    root, noise = tmp_path / "source", np.random.default_rng(0)
    for name, size, mode in [("cat/b.png", (40, 24), "RGB"), ("cat/a.jpg", (17, 33), "L"), ("dog/c.webp", (16, 16), "RGBA")]:
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        channels = {"RGB": (3,), "L": (), "RGBA": (4,)}[mode]
        Image.fromarray(noise.integers(0, 256, (size[1], size[0], *channels), dtype=np.uint8)).save(file, lossless=True)
    (root / "dog" / "c.txt").write_text("a dog\na hound")
    return root


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_training_on_the_result_is_training_on_the_source(source: Path, tmp_path: Path, name: str) -> None:
    data = ImageFolder(source)
    prepared = prepare_pictures(data, tmp_path / name, CENTER_16)
    assert (prepared.pictures, prepared.skipped, prepared.notes) == (3, (), {})
    made = open_pictures(tmp_path / name)
    for shape in ((3, 16, 16), (1, 16, 16)):
        before, after = (d.prepare(shape)[torch.arange(3)] for d in (data, made))
        difference = (before.int() - after.int()).abs().max()
        assert difference <= (0 if shape[0] == 3 else 2)  # grey of the source's grey, and grey of its colours
    assert data.labels is not None and made.labels is not None and torch.equal(made.labels, data.labels)
    assert made.class_names == ("cat", "dog")
    assert made.captions is not None and [*made.captions] == [(), (), ("a dog", "a hound")]
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([name, "source"])


def test_the_original_names_are_told(source: Path, tmp_path: Path) -> None:
    prepare_pictures(ImageFolder(source), tmp_path / "out", CENTER_16)
    index = json.loads((tmp_path / "out" / "dataset.json").read_text())
    assert index["sources"] == [
        ["00000/img00000000.png", "cat/a.jpg"],
        ["00000/img00000001.png", "cat/b.png"],
        ["00000/img00000002.png", "dog/c.webp"],
    ]


def test_without_classes_the_folders_of_the_result_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "_SHARD", 2)
    for i in range(5):
        (tmp_path / "source").mkdir(exist_ok=True)
        Image.new("L", (4, 4), i).save(tmp_path / "source" / f"{i}.png")
    prepare_pictures(ImageFolder(tmp_path / "source"), tmp_path / "out", Wanted(mode="L"))
    made = ImageFolder(tmp_path / "out")
    assert made.labels is None and len({p.parent for p in made.files}) == 3
    assert made.prepare((1, 4, 4))[torch.arange(5)][:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4]


def test_the_same_source_gives_the_same_bytes(source: Path, tmp_path: Path) -> None:
    for name in ("one.zip", "two.zip"):
        prepare_pictures(ImageFolder(source), tmp_path / name, CENTER_16)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def one(tmp_path: Path, picture: Image.Image, wanted: Wanted) -> np.ndarray:
    (tmp_path / "in").mkdir()
    picture.save(tmp_path / "in" / "x.png")
    prepare_pictures(ImageFolder(tmp_path / "in"), tmp_path / "out", wanted)
    return np.asarray(Image.open(tmp_path / "out" / "00000" / "img00000000.png"))


@pytest.mark.parametrize(
    ("size", "crop", "shape", "left", "middle", "top"),
    [
        ((8, 8), "center", (8, 8, 3), 100, 100, 100),  # the black ends of the band are cut off
        ((8, 8), "none", (8, 8, 3), 0, 100, 100),  # squeezed
        ((8, 8), "pad", (8, 8, 3), 255, 100, 255),  # white above and below; the corner is white
        ((16, 4), "center", (4, 16, 3), 0, 100, 100),
        (None, "center", (8, 8, 3), 100, 100, 100),
        (None, "pad", (32, 32, 3), 255, 100, 255),
        (None, "none", (8, 32, 3), 0, 100, 100),
    ],
)
def test_other_aspect_ratios(
    tmp_path: Path, size: tuple[int, int] | None, crop: str, shape: tuple[int, ...], left: int, middle: int, top: int
) -> None:
    band = np.zeros((8, 32, 3), np.uint8)
    band[:, 8:24] = 100
    assert crop in CROPS
    made = one(tmp_path, Image.fromarray(band), Wanted(size=size, crop=crop))  # type: ignore[arg-type]
    assert made.shape == shape
    height, width = shape[:2]
    corner, centre, above = (int(made[y, x, 0]) for y, x in ((0, 0), (height // 2, width // 2), (0, width // 2)))
    assert (corner, centre, above) == pytest.approx((left, middle, top), abs=2)  # bicubic overshoots a little


def test_shrinking_is_antialiased(tmp_path: Path) -> None:
    stripes = np.full((64, 64), 255, np.uint8)
    stripes[:, 3::8] = stripes[:, 4::8] = 0
    made = one(tmp_path, Image.fromarray(stripes), Wanted(size=(8, 8), mode="L"))
    assert np.abs(made[:, 1:-1].astype(float) - 0.75 * 255).max() < 40


def test_what_was_done_is_noted_and_what_cannot_be_read_is_skipped(source: Path, tmp_path: Path) -> None:
    frames = [Image.new("L", (20, 20), value) for value in (200, 10)]
    frames[0].save(source / "cat" / "moving.gif", save_all=True, append_images=frames[1:])
    Image.new("L", (4, 30), 3).save(source / "dog" / "small.png")
    (source / "dog" / "copy.webp").write_bytes((source / "dog" / "c.webp").read_bytes())
    (source / "dog" / "broken.png").write_bytes((source / "cat" / "b.png").read_bytes()[:200])
    data = ImageFolder(source)
    prepared = prepare_pictures(data, tmp_path / "out", CENTER_16)
    assert prepared.notes == {
        "animated, first frame used": 1,
        "smaller than the wanted size, enlarged": 1,
        "copies of another file, kept": 1,
    }
    assert prepared.pictures == 6 and [s.path for s in prepared.skipped] == [source / "dog" / "broken.png"]
    made = ImageFolder(tmp_path / "out")
    assert made.labels is not None and made.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert made.captions is not None and made.captions[3] == ("a dog", "a hound")


@pytest.mark.parametrize("mode", ["1", "P", "LA", "I;16", "CMYK", "RGBA"])
def test_every_mode_becomes_rgb_or_grey(tmp_path: Path, mode: str) -> None:
    (tmp_path / "in").mkdir()
    grey = Image.new("L", (8, 8), 255)
    picture = Image.fromarray(np.full((8, 8), 65535, np.uint16)) if mode == "I;16" else grey.convert(mode)
    picture.save(tmp_path / "in" / ("x.tif" if mode == "CMYK" else "x.png"))
    for wanted, made in ((Wanted(mode="RGB"), "RGB"), (Wanted(mode="L"), "L")):
        prepare_pictures(ImageFolder(tmp_path / "in"), tmp_path / made, wanted)
        with Image.open(tmp_path / made / "00000" / "img00000000.png") as file:
            assert file.mode == made and np.asarray(file).min() >= 253


def test_nothing_is_overwritten(source: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there.zip").write_bytes(b"mine")
    (tmp_path / "link.zip").symlink_to(tmp_path / "nowhere")
    for name in ("there", "there.zip", "link.zip"):
        with pytest.raises(OutputError, match=f"{name} exists already"):
            prepare_pictures(ImageFolder(source), tmp_path / name, CENTER_16)
    assert (tmp_path / "there.zip").read_bytes() == b"mine" and not list((tmp_path / "there").iterdir())


def test_a_target_that_appears_meanwhile_is_left_alone(source: Path, tmp_path: Path) -> None:
    def appear(_: int) -> None:
        (tmp_path / "out.zip").write_bytes(b"theirs")

    with pytest.raises(OutputError, match="by somebody else meanwhile"):
        prepare_pictures(ImageFolder(source), tmp_path / "out.zip", CENTER_16, progress=appear)
    assert (tmp_path / "out.zip").read_bytes() == b"theirs"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.zip", "source"]


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_a_full_disk_leaves_nothing_behind(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    kind = preparing._ZipOutput if name.endswith("zip") else preparing._FolderOutput
    original = kind.add

    def full(self: preparing._Output, inner: str, content: bytes) -> None:
        if inner.endswith("1.png"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        original(self, inner, content)  # type: ignore[arg-type]

    monkeypatch.setattr(kind, "add", full)
    with pytest.raises(OutputError, match=r"cannot be written: No space left on device\.\nNothing of it was left behind"):
        prepare_pictures(ImageFolder(source), tmp_path / name, CENTER_16)
    assert [p.name for p in tmp_path.iterdir()] == ["source"]


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_interrupted_it_leaves_nothing_behind(source: Path, tmp_path: Path, name: str) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare_pictures(ImageFolder(source), tmp_path / name, CENTER_16, progress=interrupt)
    assert [p.name for p in tmp_path.iterdir()] == ["source"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written(source: Path, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(OutputError, match="Permission denied"):
        prepare_pictures(ImageFolder(source), tmp_path / "locked" / "out", CENTER_16)


def test_a_place_that_is_no_place(source: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="does not exist"):
        prepare_pictures(ImageFolder(source), tmp_path / "no" / "out", CENTER_16)
    for name in ("out", "out.zip"):
        with pytest.raises(OutputError, match="cannot be written"):
            prepare_pictures(ImageFolder(source), Path("/proc") / name, CENTER_16)


def test_nothing_but_broken_pictures(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"None of the 1 picture files .* the first is x\.png: not a picture"):
        prepare_pictures(ImageFolder(tmp_path / "in"), tmp_path / "out", CENTER_16)
    assert [p.name for p in tmp_path.iterdir()] == ["in"]


def test_a_zip_source_is_not_unpacked(source: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        for file in sorted(source.rglob("*.*")):
            archive.write(file, file.relative_to(source))
    prepare_pictures(open_pictures(tmp_path / "in.zip"), tmp_path / "out.zip", CENTER_16)
    prepare_pictures(ImageFolder(source), tmp_path / "same.zip", CENTER_16)
    assert (tmp_path / "out.zip").read_bytes() == (tmp_path / "same.zip").read_bytes()


def test_files_that_are_left_out_for_their_names_are_counted(source: Path, tmp_path: Path) -> None:
    for name in ("cat/1.heic", "cat/2.HEIC", "Thumbs.db", "inner.zip", "README"):
        (source / name).write_bytes(b"x")
    (source / ".DS_Store").write_bytes(b"x")
    prepared = prepare_pictures(ImageFolder(source), tmp_path / "out", CENTER_16)
    assert prepared.notes == {"no pictures by their suffix (.heic, none, .db, .zip), left out": 5}


def test_names_that_are_no_text(source: Path, tmp_path: Path) -> None:
    (source / "cat").rename(source / os.fsdecode(b"c\xe4t"))
    prepare_pictures(ImageFolder(source), tmp_path / "out", CENTER_16)
    made = ImageFolder(tmp_path / "out")
    assert made.class_names == ("c\\xe4t", "dog") and made.labels is not None and made.labels.tolist() == [0, 0, 1]


def test_padding_to_a_square_that_could_not_be_read_again(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)  # 17x33 has fewer, 33x33 more
    (source / "cat" / "b.png").unlink()
    prepared = prepare_pictures(ImageFolder(source), tmp_path / "out", Wanted(crop="pad"))
    assert prepared.pictures == 1 and "33x33 pixels, too large" in prepared.skipped[0].reason

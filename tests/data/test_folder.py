from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganzoo.data import ImageFolder, folder
from ganzoo.errors import DataError


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    root = tmp_path / "pictures"
    (root / "sub").mkdir(parents=True)
    Image.new("RGB", (40, 20), (255, 0, 0)).save(root / "a.png")
    Image.new("L", (16, 16), 128).save(root / "b.jpg")
    Image.new("RGB", (17, 33), (0, 0, 255)).save(root / "sub" / "c.webp", lossless=True)
    return root


def only(root: Path, channels: int, size: int = 4) -> torch.Tensor:
    (image,) = ImageFolder(root).prepare(size, channels)[torch.tensor([0])]
    return image


def test_mixed_sizes_modes_and_subfolders_become_one_batch(pictures: Path) -> None:
    data = ImageFolder(pictures)
    batch = data.prepare(8, 3)[torch.arange(3)]
    assert batch.shape == (3, 3, 8, 8) and batch.dtype == torch.uint8
    assert [f.name for f in data.files] == ["a.png", "b.jpg", "c.webp"]
    assert batch[0, :, 4, 4].tolist() == [255, 0, 0]
    assert batch[1, :, 4, 4].tolist() == [128, 128, 128]
    assert batch[2, :, 4, 4].tolist() == [0, 0, 255]


def test_grey_is_had_from_colours(pictures: Path) -> None:
    assert ImageFolder(pictures).prepare(4, 1)[torch.tensor([0])].unique().tolist() == [76]


def test_other_files_and_hidden_ones_are_not_looked_at(pictures: Path) -> None:
    (pictures / "notes.txt").write_text("no picture")
    (pictures / ".hidden").mkdir()
    Image.new("L", (4, 4)).save(pictures / ".hidden" / "x.png")
    Image.new("L", (4, 4)).save(pictures / ".y.png")
    assert len(ImageFolder(pictures)) == 3


def test_transparency_is_laid_on_white(tmp_path: Path) -> None:
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    assert only(tmp_path, 3).unique().tolist() == [255]
    palette = Image.new("P", (8, 8), 0)
    palette.putpalette([10, 20, 30, 40, 50, 60])
    palette.save(tmp_path / "clear.png", transparency=0)
    assert only(tmp_path, 3).unique().tolist() == [255]


def test_palettes_are_grey_as_their_colours_are(tmp_path: Path) -> None:
    palette = Image.new("P", (8, 8), 1)
    palette.putpalette([0, 0, 0, 0, 255, 0])
    palette.save(tmp_path / "p.png")
    assert only(tmp_path, 1).unique().tolist() == [150]  # 0.587 * 255


def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path: Path) -> None:
    ramp = np.repeat(np.array([[0, 32896, 65535, 65535]], dtype=np.uint16), 4, axis=0)
    Image.fromarray(ramp).save(tmp_path / "deep.png")
    assert only(tmp_path, 1)[0, 0].tolist() == [0, 128, 255, 255]


def test_cmyk_is_read(tmp_path: Path) -> None:
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "print.jpg", quality=100)
    red, green, blue = only(tmp_path, 3)[:, 2, 2].tolist()
    assert red > 240 and green < 15 and blue < 15


def test_the_first_frame_of_an_animation_is_used(tmp_path: Path) -> None:
    frames = [Image.new("L", (8, 8), value) for value in (200, 10)]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    assert only(tmp_path, 1).unique().tolist() == [200]


def test_the_orientation_of_a_photo_is_honoured(tmp_path: Path) -> None:
    photo = Image.new("L", (8, 8), 0)
    photo.paste(255, (0, 0, 8, 4))
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    photo.save(tmp_path / "photo.png", exif=exif)
    image = only(tmp_path, 1, 8)[0]
    assert image[0, 0] == 0 and image[7, 0] == 255


def test_broken_files_are_set_aside_by_name_with_the_reason(pictures: Path) -> None:
    whole = (pictures / "a.png").read_bytes()
    (pictures / "truncated.png").write_bytes(whole[: len(whole) // 2])
    (pictures / "lie.jpg").write_text("this is text")
    data = ImageFolder(pictures)
    assert len(data.prepare(4, 3)) == len(data) == 3
    reasons = {s.path.name: s.reason for s in data.skipped}
    assert reasons.keys() == {"truncated.png", "lie.jpg"}
    assert reasons["lie.jpg"] == "not a picture, whatever its name says"
    assert all(reasons.values())


def test_the_hash_is_that_of_the_pictures_that_are_used(pictures: Path) -> None:
    clean = ImageFolder(pictures).sha256
    (pictures / "empty.png").write_bytes(b"")
    data = ImageFolder(pictures)
    assert data.sha256 != clean
    data.prepare(4, 1)
    assert data.sha256 == clean
    (pictures / "b.jpg").rename(pictures / "b2.jpg")
    assert ImageFolder(pictures).sha256 != clean


def test_more_broken_files_than_good_ones_are_an_error_that_lists_some(pictures: Path) -> None:
    for i in range(7):
        (pictures / f"broken{i}.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"Only 3 of the 10 .*") as caught:
        ImageFolder(pictures).prepare(4, 1)
    assert "broken0.png: not a picture" in str(caught.value) and "and 2 more" in str(caught.value)


def test_no_good_file_at_all_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"")
    with pytest.raises(DataError, match="None of the 1 "):
        ImageFolder(tmp_path).prepare(4, 1)


def test_a_folder_without_pictures_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no pictures in .*\n.*\.webp"):
        ImageFolder(tmp_path)


def test_a_missing_folder_and_a_file_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There is no folder"):
        ImageFolder(tmp_path / "nowhere")
    (tmp_path / "one.png").write_bytes(b"")
    with pytest.raises(DataError, match=f"Give its folder: {tmp_path}"):
        ImageFolder(tmp_path / "one.png")


def test_large_sets_are_decoded_when_shown_and_equal_those_in_memory(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    indices = torch.tensor([2, 0, 2])
    expected = ImageFolder(pictures).prepare(8, 3)[indices]
    monkeypatch.setattr(folder, "MEMORY_LIMIT", 10)
    lazy = ImageFolder(pictures).prepare(8, 3)
    assert torch.equal(lazy[indices], expected)
    (pictures / "a.png").unlink()
    with pytest.raises(DataError, match=r"a\.png could be read when the run began"):
        lazy[torch.tensor([0])]


def test_a_picture_that_would_fill_the_memory_is_set_aside(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 700)
    data = ImageFolder(pictures)
    data.prepare(4, 1)
    assert [s.path.name for s in data.skipped] == ["a.png"]
    assert "decompression bomb" in data.skipped[0].reason

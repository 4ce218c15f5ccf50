import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Generator, Iterable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganzoo.data import ImageFolder, ImageZip, PictureDataset, Skipped, picture_cache
from ganzoo.data import pictures as pictures_module
from ganzoo.data.decode import Shape
from ganzoo.data.decoding import Decoded
from ganzoo.data.files import FolderFiles, PictureFiles
from ganzoo.errors import CacheWarning, DataError
from ganzoo.paths import cache_home


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    root = tmp_path / "pictures"
    (root / "sub").mkdir(parents=True)
    Image.new("RGB", (40, 20), (255, 0, 0)).save(root / "a.png")
    Image.new("L", (16, 16), 128).save(root / "b.jpg")
    Image.new("RGB", (17, 33), (0, 0, 255)).save(root / "sub" / "c.webp", lossless=True)
    return root


def only(root: Path, channels: int, size: int = 4) -> torch.Tensor:
    (image,) = ImageFolder(root).prepare((channels, size, size))[torch.tensor([0])]
    return image


def test_mixed_sizes_modes_and_subfolders_become_one_batch(pictures: Path) -> None:
    data = ImageFolder(pictures)
    batch = data.prepare((3, 8, 8))[torch.arange(3)]
    assert batch.shape == (3, 3, 8, 8) and batch.dtype == torch.uint8
    assert [f.name for f in data.files] == ["a.png", "b.jpg", "c.webp"]
    assert batch[0, :, 4, 4].tolist() == [255, 0, 0]
    assert batch[1, :, 4, 4].tolist() == [128, 128, 128]
    assert batch[2, :, 4, 4].tolist() == [0, 0, 255]


def test_grey_is_had_from_colours(pictures: Path) -> None:
    assert ImageFolder(pictures).prepare((1, 4, 4))[torch.tensor([0])].unique().tolist() == [76]


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


def test_damaged_exif_costs_no_picture(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 3, "maker"  # upside down
    photo = Image.new("L", (8, 8), 0)
    photo.paste(255, (0, 0, 8, 4))
    photo.save(tmp_path / "photo.jpg", exif=exif, quality=100)
    content = (tmp_path / "photo.jpg").read_bytes()
    assert content.count(b"\x01\x0f\x00\x02") == 1
    (tmp_path / "photo.jpg").write_bytes(content.replace(b"\x01\x0f\x00\x02", b"\x01\x28\x00\x02"))  # a text as a number
    image = only(tmp_path, 1, 8)[0]
    assert image[0, 0] == 0 and image[7, 0] == 255


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_undone(tmp_path: Path, orientation: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (8, 8), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(tmp_path / "photo.png", exif=exif)
    flipped, mirrored = pixels[::-1], pixels[:, ::-1]
    expected = {
        1: pixels,
        2: mirrored,
        3: flipped[:, ::-1],
        4: flipped,
        5: pixels.T,
        6: flipped.T,
        7: flipped[:, ::-1].T,
        8: mirrored.T,
    }  # row 0 of the file is the visual top, right … as table 6 of EXIF 2.3 has them
    assert only(tmp_path, 1, 8)[0].tolist() == expected[orientation].tolist()


def test_floating_point_pixels_are_set_aside_and_not_black(pictures: Path) -> None:
    Image.fromarray(np.full((8, 8), 0.5, np.float32)).save(pictures / "scan.tif")
    data = ImageFolder(pictures)
    data.prepare((1, 4, 4))
    assert [(s.path.name, s.reason[:21]) for s in data.skipped] == [("scan.tif", "floating-point pixels")]


def test_broken_files_are_set_aside_by_name_with_the_reason(pictures: Path) -> None:
    whole = (pictures / "a.png").read_bytes()
    (pictures / "truncated.png").write_bytes(whole[: len(whole) // 2])
    (pictures / "lie.jpg").write_text("this is text")
    data = ImageFolder(pictures)
    assert len(data.prepare((3, 4, 4))) == len(data) == 3
    reasons = {s.path.name: s.reason for s in data.skipped}
    assert reasons.keys() == {"truncated.png", "lie.jpg"}
    assert reasons["lie.jpg"] == "not a picture, whatever its name says"
    assert all(reasons.values())


def test_the_hash_is_that_of_the_pictures_that_are_used(pictures: Path) -> None:
    clean = ImageFolder(pictures).sha256
    (pictures / "empty.png").write_bytes(b"")
    data = ImageFolder(pictures)
    assert data.sha256 != clean
    data.prepare((1, 4, 4))
    assert data.sha256 == clean
    (pictures / "b.jpg").rename(pictures / "b2.jpg")
    assert ImageFolder(pictures).sha256 != clean


def test_more_broken_files_than_good_ones_are_an_error_that_lists_some(pictures: Path) -> None:
    for i in range(7):
        (pictures / f"broken{i}.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"Only 3 of the 10 .*") as caught:
        ImageFolder(pictures).prepare((1, 4, 4))
    assert "broken0.png: not a picture" in str(caught.value) and "and 2 more" in str(caught.value)


def test_no_good_file_at_all_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"")
    with pytest.raises(DataError, match="None of the 1 "):
        ImageFolder(tmp_path).prepare((1, 4, 4))


def test_a_folder_without_pictures_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no pictures in .*\n.*\.webp"):
        ImageFolder(tmp_path)


def test_a_missing_folder_and_a_file_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There is no folder"):
        ImageFolder(tmp_path / "nowhere")
    (tmp_path / "one.png").write_bytes(b"")
    with pytest.raises(DataError, match=f"Give its folder: {tmp_path}"):
        ImageFolder(tmp_path / "one.png")


def test_a_picture_that_would_fill_the_memory_is_set_aside(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 700)
    data = ImageFolder(pictures)
    data.prepare((1, 4, 4))
    assert [s.path.name for s in data.skipped] == ["a.png"]
    assert "decompression bomb" in data.skipped[0].reason


# --- zip files --------------------------------------------------------------------------------------------------------


def test_a_zip_file_is_the_same_data_as_the_folder(pictures: Path, tmp_path: Path) -> None:
    (pictures / "sub" / "broken.png").write_bytes(b"broken")
    packed = Path(shutil.make_archive(str(tmp_path / "packed"), "zip", pictures))
    folder, archive = ImageFolder(pictures), ImageZip(packed)
    assert torch.equal(*(data.prepare((3, 8, 8))[torch.arange(3)] for data in (folder, archive)))
    assert archive.sha256 == folder.sha256 and len(archive) == 3
    assert archive.skipped == (Skipped(packed / "sub" / "broken.png", "not a picture, whatever its name says"),)


# --- the cache of decoded pictures ------------------------------------------------------------------------------------


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the pictures that are decoded from now on."""
    names: list[str] = []
    original = pictures_module.decode_all

    def spy(files: PictureFiles, wanted: Iterable[str], shape: Shape) -> Generator[Decoded, None, None]:
        wanted = list(wanted)
        names.extend(wanted)
        return original(files, wanted, shape)

    monkeypatch.setattr(pictures_module, "decode_all", spy)
    return names


def entries() -> list[Path]:
    return sorted((cache_home() / "pictures").glob("*.u8"))


def everything(data: PictureDataset, shape: tuple[int, ...] = (3, 8, 8)) -> torch.Tensor:
    return data.prepare(shape)[torch.arange(len(data))]


def test_the_second_start_decodes_nothing_and_has_the_same_pictures(pictures: Path, decoded: list[str]) -> None:
    (pictures / "broken.png").write_bytes(b"broken")
    first = ImageFolder(pictures)
    expected = everything(first)
    assert len(decoded) == 4 and len(entries()) == 1
    again = ImageFolder(pictures)
    assert torch.equal(everything(again), expected) and len(decoded) == 4
    assert (again.sha256, again.skipped, again.files) == (first.sha256, first.skipped, first.files)
    everything(again, (1, 4, 4))
    assert len(decoded) == 7 and len(entries()) == 2
    assert ImageFolder(pictures).sha256 == first.sha256  # what is broken is known without decoding
    third = ImageFolder(pictures)
    third.prepare((1, 4, 4))
    assert third.skipped == first.skipped and len(decoded) == 7


def test_a_picture_that_changed_is_decoded_again_and_moved_ones_share_the_entry(pictures: Path, decoded: list[str]) -> None:
    everything(ImageFolder(pictures))
    Image.new("RGB", (40, 20), (0, 255, 0)).save(pictures / "a.png")
    assert everything(ImageFolder(pictures))[0, :, 4, 4].tolist() == [0, 255, 0]
    assert len(decoded) == 6 and len(entries()) == 2
    moved = pictures.rename(pictures.with_name("moved"))
    everything(ImageFolder(moved))
    assert len(entries()) == 2


def test_names_that_are_no_text_are_remembered(pictures: Path, decoded: list[str]) -> None:
    good, broken = os.fsdecode(b"\xff.png"), os.fsdecode(b"\xfe.png")
    (pictures / "a.png").rename(pictures / good)
    (pictures / broken).write_bytes(b"broken")
    for _ in range(2):
        data = ImageFolder(pictures)
        data.prepare((1, 4, 4))
        assert good in data.names and [s.path.name for s in data.skipped] == [broken]
    assert len(decoded) == 4


def test_what_could_not_be_read_for_once_is_read_the_next_time(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = FolderFiles.read

    def shaky(self: FolderFiles, name: str) -> bytes:
        if name == "a.png":
            raise OSError(errno.EIO, "Input/output error")
        return original(self, name)

    with monkeypatch.context() as patched:
        patched.setattr(FolderFiles, "read", shaky)
        data = ImageFolder(pictures)
        data.prepare((1, 4, 4))
        assert [s.reason for s in data.skipped] == ["Input/output error"]
    again = ImageFolder(pictures)
    again.prepare((1, 4, 4))
    assert len(again) == 3 and again.skipped == ()


@pytest.mark.parametrize("damage", [b"", b"short", None])
def test_a_damaged_entry_is_made_again(pictures: Path, decoded: list[str], damage: bytes | None) -> None:
    expected = everything(ImageFolder(pictures))
    (entry,) = entries()
    whole = entry.read_bytes()
    flipped = bytearray(whole)
    flipped[7] ^= 1
    entry.write_bytes(bytes(flipped) if damage is None else damage)
    assert torch.equal(everything(ImageFolder(pictures)), expected)
    assert entry.read_bytes() == whole and len(decoded) == 6


def test_a_damaged_survey_is_made_again(pictures: Path, decoded: list[str]) -> None:
    everything(ImageFolder(pictures))
    (survey,) = (cache_home() / "pictures").glob("*.json")
    survey.write_text("{")
    everything(ImageFolder(pictures))
    assert len(decoded) == 6 and survey.read_text().startswith('{"sha256"')


def test_large_entries_are_mapped_and_not_read(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = everything(ImageFolder(pictures))
    monkeypatch.setattr(picture_cache, "IN_MEMORY", 10)
    mapped = ImageFolder(pictures).prepare((3, 8, 8))
    assert isinstance(mapped, picture_cache.MappedExamples) and len(mapped) == 3
    indices = torch.tensor([2, 0, 2])
    batch = mapped[indices]
    assert torch.equal(batch, expected[indices])
    batch.zero_()  # a copy: the file stays as it is
    assert torch.equal(mapped[indices], expected[indices])


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="Linux tells how much memory is held")
def test_a_mapped_entry_does_not_grow_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_cache, "MAPPED", 2**20)
    file, count, shape = tmp_path / "entry.u8", 1024, (3, 128, 128)  # 48 MiB
    with file.open("wb") as target:
        for i in range(count):
            target.write(bytes([i % 256]) * (3 * 128 * 128))
        target.write(bytes(4))
    examples = picture_cache.MappedExamples(file, count, shape)

    def held() -> int:
        fields = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
        return int(fields["RssFile"].split()[0]) * 1024

    before = held()
    for indices in torch.arange(count).split(16):
        assert examples[indices][:, 0, 0, 0].tolist() == [i % 256 for i in indices.tolist()]
        assert held() - before < 8 * 2**20


def test_without_a_cache_the_pictures_are_kept_in_memory(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = everything(ImageFolder(pictures))
    (pictures.parent / "file").write_text("no folder")
    monkeypatch.setenv("GANZOO_HOME", str(pictures.parent / "file"))
    with pytest.warns(CacheWarning, match="decoded pictures of pictures are not cached: Not a directory"):
        assert torch.equal(everything(ImageFolder(pictures)), expected)


def test_without_a_cache_many_pictures_are_decoded_when_they_are_shown(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    indices = torch.tensor([2, 0, 2])
    expected = everything(ImageFolder(pictures))[indices]
    monkeypatch.setattr(pictures_module, "MEMORY_LIMIT", 10)
    monkeypatch.setattr(picture_cache, "_SPARE", 2**62)
    monkeypatch.setenv("GANZOO_HOME", str(pictures.parent / "another"))
    with pytest.warns(CacheWarning, match="no room for 576 bytes"):
        shown = ImageFolder(pictures).prepare((3, 8, 8))
    assert torch.equal(shown[indices], expected) and len(shown) == 3
    (pictures / "a.png").unlink()
    with pytest.raises(DataError, match=r"a\.png could be read when the run began"):
        shown[torch.tensor([0])]


def test_a_disk_that_fills_up_meanwhile_leaves_nothing_behind(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: picture_cache.EntryWriter, pixels: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(picture_cache.EntryWriter, "add", full)
    with pytest.warns(CacheWarning, match="No space left"):
        assert len(everything(ImageFolder(pictures))) == 3
    assert not list((cache_home() / "pictures").iterdir())


def test_what_a_killed_process_left_behind_is_removed_when_it_is_old(pictures: Path) -> None:
    folder = cache_home() / "pictures"
    folder.mkdir(parents=True)
    old, young = folder / ".new.u8.01.u8", folder / ".new.u8.02.u8"
    for file in (old, young):
        file.write_bytes(b"half")
    os.utime(old, (0, 0))
    everything(ImageFolder(pictures))
    assert young.exists() and not old.exists()


def test_several_processes_may_make_one_entry_at_once(pictures: Path) -> None:
    made = f"ImageFolder({str(pictures)!r}).prepare((3, 8, 8))[torch.arange(3)].sum().item()"
    code = f"import torch; from ganzoo.data import ImageFolder; print({made})"
    running = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    sums = {process.communicate(timeout=60)[0].strip() for process in running}
    assert sums == {str(everything(ImageFolder(pictures)).sum().item())}
    assert len(entries()) == 1 and not list((cache_home() / "pictures").glob(".*"))


def test_progress_counts_every_file(pictures: Path) -> None:
    done: list[int] = []
    (pictures / "broken.png").write_bytes(b"broken")
    ImageFolder(pictures).prepare((1, 4, 4), progress=done.append)
    assert done == [1] * 4

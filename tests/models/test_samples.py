import os
import wave
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganzoo.errors import InvalidValueError, OutputError
from ganzoo.models import AudioSamples, ImageSamples, Samples, TextSamples, VectorSamples, VideoSamples
from ganzoo.tokenizers import CharTokenizer, WordTokenizer

WORDS = WordTokenizer(["hello", "world"])


def images(n: int = 5, channels: int = 3, size: int = 4) -> ImageSamples:
    return ImageSamples(torch.linspace(-1, 1, n * channels * size * size).view(n, channels, size, size), range(n))


def everything() -> list[Samples]:
    return [
        images(),
        TextSamples(torch.tensor([[4, 5], [5, 2]]), [4, 5], tokenizer=WORDS),
        AudioSamples(torch.zeros(2, 1, 800), [4, 5], sample_rate=8000),
        VideoSamples(torch.rand(2, 3, 4, 8, 8) * 2 - 1, [4, 5], frame_rate=10),
        VectorSamples(torch.tensor([[0.5, -2.0], [1e-20, 1 / 3]]), [4, 5]),
    ]


def test_pixels_are_rounded_to_nearest_and_clamped() -> None:
    values = torch.tensor([-2.0, -1.0, -1 + 1.2 / 255, 0.0, 1.0, 1.5]).view(1, 1, 1, 6)
    assert ImageSamples(values, [0]).to_uint8().flatten().tolist() == [0, 0, 1, 128, 255, 255]


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_pictures_have_the_mode_of_their_channels(channels: int, mode: str) -> None:
    batch = images(channels=channels)
    pictures = batch.to_pil()
    assert [p.mode for p in pictures] == [mode] * 5
    got = torch.from_numpy(np.array(pictures[3])).reshape(4, 4, channels)
    assert torch.equal(got, batch.to_uint8()[3])


def test_a_grid_holds_every_image_in_order(tmp_path: Path) -> None:
    batch = images(5)
    assert batch.save(tmp_path / "grid.png") == [tmp_path / "grid.png"]
    grid = np.array(Image.open(tmp_path / "grid.png"))
    assert grid.shape == (2 * 6 + 2, 3 * 6 + 2, 3)
    for i, pixels in enumerate(batch.to_uint8().numpy()):
        y, x = 2 + i // 3 * 6, 2 + i % 3 * 6
        assert (grid[y : y + 4, x : x + 4] == pixels).all()


def test_grid_columns() -> None:
    assert images(5).grid(1, padding=0).size == (4, 20)
    assert images(5).grid(9, padding=0).size == (20, 4)
    for bad in ({"columns": 0}, {"padding": -1}):
        with pytest.raises(InvalidValueError):
            images(5).grid(**bad)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".JPEG", ".webp"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_picture_files_open_again(tmp_path: Path, suffix: str, channels: int) -> None:
    target = tmp_path / f"grid{suffix}"
    images(channels=channels).save(target)
    with Image.open(target) as picture:
        assert picture.format == {".png": "PNG", ".webp": "WEBP"}.get(suffix, "JPEG")


@pytest.mark.parametrize("samples", everything(), ids=lambda s: s.modality)
def test_a_folder_of_single_files(tmp_path: Path, samples: Samples) -> None:
    written = samples.save(tmp_path / "out")
    assert [p.name for p in written] == [f"{i:04}-seed{s}{samples.single_suffix}" for i, s in enumerate(samples.seeds)]
    assert all(p.stat().st_size for p in written)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [p.name for p in written]


@pytest.mark.parametrize("samples", everything(), ids=lambda s: s.modality)
def test_slices_keep_their_seeds(samples: Samples) -> None:
    part = samples[1:2]
    assert (len(part), part.seeds) == (1, samples.seeds[1:2])
    assert torch.equal(part.tensor, samples.tensor[1:2])
    assert [s.seeds[0] for s in samples] == list(samples.seeds)


@pytest.mark.parametrize("samples", everything(), ids=lambda s: s.modality)
def test_a_file_type_that_cannot_be_written(tmp_path: Path, samples: Samples) -> None:
    with pytest.raises(OutputError, match=r"\.xyz"):
        samples.save(tmp_path / "out.xyz")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["missing/grid.png", "missing/below/folder"])
def test_an_output_folder_that_does_not_exist(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match="does not exist[\\s\\S]*mkdir -p"):
        images().save(tmp_path / name)


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("precious")
    for target in ("file", "file/grid.png"):
        with pytest.raises(OutputError):
            images().save(tmp_path / target)
    assert (tmp_path / "file").read_text() == "precious"


def test_an_output_that_is_not_writable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.open", refuse)
    with pytest.raises(OutputError, match="Permission denied"):
        images().save(tmp_path / "grid.png")


def test_a_full_disk_keeps_the_old_file_and_leaves_no_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "grid.png"
    target.write_text("the old picture")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(OutputError, match="No space left"):
        images().save(target)
    assert target.read_text() == "the old picture"
    assert [p.name for p in tmp_path.iterdir()] == ["grid.png"]


def test_written_files_have_ordinary_permissions(tmp_path: Path) -> None:
    old = os.umask(0o022)
    try:
        (target,) = images().save(tmp_path / "grid.png")
    finally:
        os.umask(old)
    assert target.stat().st_mode & 0o777 == 0o644


def test_text_ends_at_its_end(tmp_path: Path) -> None:
    samples = everything()[1]
    assert isinstance(samples, TextSamples)
    assert samples.text == ["hello world", "world"]
    assert samples.tokens == [["hello", "world"], ["world", "<eos>"]]
    assert samples.vocabulary == ("<pad>", "<bos>", "<eos>", "<unk>", "hello", "world")
    samples.save(tmp_path / "out.txt")
    assert (tmp_path / "out.txt").read_text() == "hello world\nworld\n"


def test_text_is_readable_in_a_console_and_harmless() -> None:
    samples = TextSamples(torch.tensor([[4, 5]] * 12), range(12), tokenizer=WORDS)
    assert repr(samples).splitlines() == [
        "TextSamples(12 x [2], first seed 0)",
        *["  'hello world'"] * 10,
        "  … and 2 more",
    ]
    hostile = TextSamples(torch.tensor([[4, 5]]), [0], tokenizer=WordTokenizer(["\x1b[2J", "world"]))
    assert "\x1b" not in repr(hostile)


def test_each_sample_is_one_line_of_the_file(tmp_path: Path) -> None:
    samples = TextSamples(torch.tensor([[4, 5, 4]] * 2), [0, 1], tokenizer=CharTokenizer(["a", "\n"]))
    samples.save(tmp_path / "out.txt")
    assert (tmp_path / "out.txt").read_text() == "a a\na a\n"


def test_sound_is_written_at_its_rate(tmp_path: Path) -> None:
    tone = AudioSamples(torch.tensor([[[0.0, 1.0, -1.0, 2.0]], [[0.5, 0, 0, 0]]]), [0, 1], sample_rate=8000)
    tone.save(tmp_path / "all.wav")
    with wave.open(str(tmp_path / "all.wav")) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        assert file.getnframes() == 4 + 2000 + 4  # a quarter of a second between them
        assert np.frombuffer(file.readframes(4), "<i2").tolist() == [0, 32767, -32767, 32767]


def test_video_is_animated(tmp_path: Path) -> None:
    video = everything()[3]
    for suffix in (".gif", ".webp", ".png"):
        video.save(tmp_path / f"film{suffix}")
        with Image.open(tmp_path / f"film{suffix}") as film:
            assert getattr(film, "n_frames", 1) == 4


@pytest.mark.parametrize(
    "make",
    [
        lambda: ImageSamples(torch.zeros(2, 2, 4, 4), [0, 1]),
        lambda: ImageSamples(torch.zeros(2, 3, 4, 4), [0]),
        lambda: TextSamples(torch.zeros(2, 3), [0, 1], tokenizer=WORDS),
        lambda: TextSamples(torch.tensor([[6]]), [0], tokenizer=WORDS),
        lambda: TextSamples(torch.tensor([[-1]]), [0], tokenizer=WORDS),
        lambda: AudioSamples(torch.zeros(2, 3), [0, 1], sample_rate=8000),
        lambda: AudioSamples(torch.zeros(2, 1, 3), [0, 1], sample_rate=0),
        lambda: VideoSamples(torch.zeros(2, 3, 4, 8), [0, 1], frame_rate=1),
        lambda: VectorSamples(torch.zeros(2, 3, 4), [0, 1]),
        lambda: VectorSamples(torch.zeros(2, 0), [0, 1]),
        lambda: VectorSamples(torch.zeros(2, 2, dtype=torch.int64), [0, 1]),
    ],
)
def test_what_is_not_of_the_modality_is_refused(make: object) -> None:
    with pytest.raises(InvalidValueError):
        make()  # type: ignore[operator]


def test_one_sample_by_its_number() -> None:
    batch = images(5)
    assert (batch[-1].seeds, len(batch[2])) == ((4,), 1)
    assert torch.equal(batch[-1].tensor, batch.tensor[4:])
    with pytest.raises(IndexError):
        batch[5]


def test_nothing_and_what_is_not_finite_cannot_be_written(tmp_path: Path) -> None:
    empty = images(5)[5:]
    assert repr(empty) == "ImageSamples(0 x [3, 4, 4])"
    broken = images(3)
    broken.tensor[1, 0, 0, 0] = float("nan")
    points = VectorSamples(torch.tensor([[0.0, 1.0], [2.0, float("inf")]]), [0, 1])
    for batch, word in ((empty, "no sample"), (broken, "seed 1 "), (points, "seed 1 ")):
        with pytest.raises(InvalidValueError, match=word):
            batch.save(tmp_path / "grid.png")
    assert list(tmp_path.iterdir()) == []


def test_a_picture_that_the_format_cannot_hold(tmp_path: Path) -> None:
    wide = ImageSamples(torch.zeros(1, 1, 2, 17000), [0])
    with pytest.raises(OutputError):
        wide.save(tmp_path / "wide.webp")
    assert list(tmp_path.iterdir()) == []


def test_a_symbolic_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real.png").write_text("old")
    (tmp_path / "link.png").symlink_to("real.png")
    images().save(tmp_path / "link.png")
    assert (tmp_path / "link.png").is_symlink()
    assert (tmp_path / "real.png").read_bytes().startswith(b"\x89PNG")


def test_very_long_names_are_no_problem(tmp_path: Path) -> None:
    target = tmp_path / ("x" * 240 + ".png")
    images().save(target)
    assert [p.name for p in tmp_path.iterdir()] == [target.name]


@pytest.mark.parametrize(("frames", "rate"), [(0, 10.0), (3, 0.0), (3, 1e-9), (3, float("nan"))])
def test_video_without_frames_or_at_an_impossible_rate(frames: int, rate: float) -> None:
    with pytest.raises(InvalidValueError):
        VideoSamples(torch.zeros(1, 3, frames, 4, 4), [0], frame_rate=rate)

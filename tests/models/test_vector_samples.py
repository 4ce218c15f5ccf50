from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from ganzoo.errors import InvalidValueError, OutputError
from ganzoo.models import VectorGenerator, VectorSamples

POINTS = torch.tensor([[0.5, -2.0], [1e-20, 1 / 3], [-7.25, 16777216.0]])


def pixels(picture: Image.Image) -> list[list[int]]:
    return np.array(picture).tolist()


def test_a_table_reads_back_as_the_same_numbers(tmp_path: Path) -> None:
    VectorSamples(POINTS, range(3)).save(tmp_path / "points.csv")
    assert (tmp_path / "points.csv").read_text().splitlines()[:2] == ["0.5,-2.0", "1e-20,0.33333334"]
    table = np.loadtxt(tmp_path / "points.csv", delimiter=",", dtype=np.float32)
    assert torch.equal(torch.from_numpy(table), POINTS)


def test_an_array_file_of_any_dimension_and_dtype(tmp_path: Path) -> None:
    points = torch.linspace(-1, 1, 15).view(3, 5)
    VectorSamples(points.bfloat16(), range(3)).save(tmp_path / "points.npy")
    array = np.load(tmp_path / "points.npy", allow_pickle=False)
    assert array.dtype == np.float32
    assert torch.equal(torch.from_numpy(array), points.bfloat16().float())


def test_single_files_hold_one_point_each(tmp_path: Path) -> None:
    written = VectorSamples(POINTS, [7, 8, 9]).save(tmp_path / "points")
    assert [p.name for p in written] == ["0000-seed7.csv", "0001-seed8.csv", "0002-seed9.csv"]
    assert written[0].read_text() == "0.5,-2.0\n"


def test_the_scatter_picture_has_up_above_and_darker_where_more_points_lie() -> None:
    points = torch.tensor([[0.5, 0.5], [0.5, 0.5], [3.5, 3.5], [1.5, 3.5], [9.0, 0.5], [0.5, -0.1]])
    picture = VectorSamples(points, range(6)).scatter(4, extent=(0, 0, 4, 4))
    assert pixels(picture) == [
        [255, 192, 255, 192],
        [255, 255, 255, 255],
        [255, 255, 255, 255],
        [128, 255, 255, 255],
    ]


def test_four_points_on_a_pixel_are_black_and_more_change_nothing() -> None:
    for n in (4, 40):
        assert pixels(VectorSamples(torch.zeros(n, 2), range(n)).scatter(1)) == [[0]]


def test_by_default_all_points_are_inside_and_axes_have_one_scale(tmp_path: Path) -> None:
    points = torch.tensor([[0.0, 0.0], [10.0, 0.0], [10.0, 1.0]])
    VectorSamples(points, range(3)).save(tmp_path / "points.png")
    with Image.open(tmp_path / "points.png") as picture:
        ink = torch.from_numpy(np.array(picture)) < 255
    assert int(ink.sum()) == 3
    rows, columns = ink.nonzero().unbind(1)
    assert float(columns.max() - columns.min()) == pytest.approx(256 / 1.1, abs=1)
    assert float(rows.max() - rows.min()) == pytest.approx(25.6 / 1.1, abs=1)


@pytest.mark.parametrize(
    ("points", "options", "word"),
    [
        (torch.zeros(3, 3), {}, "3 dimensions[\\s\\S]*csv"),
        (torch.zeros(3, 2), {"size": 0}, "1 pixel"),
        (torch.zeros(3, 2), {"extent": (1, 0, 1, 4)}, "empty"),
        (torch.zeros(0, 2), {}, "no sample"),
        (torch.tensor([[0.0, float("nan")]]), {}, "not finite"),
    ],
)
def test_what_cannot_be_drawn(points: Tensor, options: dict[str, object], word: str) -> None:
    with pytest.raises(InvalidValueError, match=word):
        VectorSamples(points, range(len(points))).scatter(**options)  # type: ignore[arg-type]


def test_points_outside_a_plane_offer_no_picture(tmp_path: Path) -> None:
    points = VectorSamples(torch.zeros(3, 5), range(3))
    assert points.suffixes == points[:2].suffixes == (".csv", ".npy")
    with pytest.raises(OutputError, match=r"'\.png'[\s\S]*Use \.csv, \.npy, or"):
        points.save(tmp_path / "points.png")
    assert list(tmp_path.iterdir()) == []


def test_notebooks_get_a_picture_of_the_plane_only() -> None:
    plane = VectorSamples(torch.zeros(3, 2), range(3))._repr_png_()
    assert plane is not None
    assert plane.startswith(b"\x89PNG")
    assert VectorSamples(torch.zeros(3, 5), range(3))._repr_png_() is None


class Shift(VectorGenerator):
    def __init__(self) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.tensor([10.0, -10.0], dtype=torch.float64))

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (2,)

    @property
    def output_shape(self) -> tuple[int, ...]:
        return (2,)

    def forward(self, z: Tensor) -> Tensor:
        return z + self.shift


def test_a_generator_of_vectors_gives_float32_points_by_seed() -> None:
    G = Shift()
    samples = G.sample(3, seed=5)
    assert isinstance(samples, VectorSamples)
    assert samples.tensor.dtype == torch.float32
    torch.testing.assert_close(samples.tensor, G.latents(samples.seeds) + torch.tensor([10.0, -10.0]))

import json
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from ganzoo.data import TensorDataset
from ganzoo.errors import InvalidValueError
from ganzoo.metrics import FeatureBatch, evaluate_generator
from ganzoo.models import ImageGenerator
from ganzoo.models.seeds import sample_seeds


class Flat(ImageGenerator):
    """Makes constant images whose brightness is a normal latent, squeezed; ``shift`` stands for what training changes."""

    def __init__(self, size: int = 4) -> None:
        super().__init__()
        self.size = size
        self.shift = torch.nn.Parameter(torch.tensor(0.0))

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (1,)

    @property
    def output_shape(self) -> tuple[int, ...]:
        return (1, self.size, self.size)

    def forward(self, z: Tensor) -> Tensor:
        return (0.2 * z + self.shift).clamp(-1, 1).view(-1, 1, 1, 1).expand(-1, 1, self.size, self.size)


class Brightness:
    """The mean of an image twice over, and two classes: dark and bright."""

    name, sha256, classes = "brightness", "0" * 64, ("dark", "bright")

    def __call__(self, images: Tensor) -> FeatureBatch:
        mean = images.mean((1, 2, 3))
        return FeatureBatch(torch.stack([mean, mean.square()], 1), torch.stack([-mean, mean], 1))


def bright(count: int, seed: int) -> TensorDataset:
    values = torch.randn(count, generator=torch.Generator().manual_seed(seed)) * 0.2 + 0.5
    pixels = values.mul(127.5).add(127.5).round().clamp(0, 255).to(torch.uint8)
    return TensorDataset(pixels.view(-1, 1, 1, 1).expand(-1, 1, 6, 6).contiguous(), f"bright-{seed}")


def trained() -> Flat:
    generator = Flat()
    torch.nn.init.constant_(generator.shift, 0.5)
    return generator


def test_a_good_generator_is_told_from_its_controls() -> None:
    result = evaluate_generator(trained(), bright(600, 1), Brightness(), held_out=bright(300, 2), samples=700, seed=3)
    assert [(m.of, m.samples) for m in result.measurements] == [
        ("model", 700),
        ("model", 300),
        ("held-out real data", 300),
        ("random initialisation", 700),
    ]
    model, model_300, held_out, random = result.measurements
    assert model.figures["frechet-distance"] < 0.01 and held_out.figures["frechet-distance"] < 0.01
    assert random.figures["frechet-distance"] > 0.2  # the shift alone is 0.25
    assert model_300.figures != model.figures
    assert model.votes["bright"] > 0.95 and random.votes["bright"] < 0.7
    assert sum(random.votes.values()) == pytest.approx(1.0)
    assert result.model is model


def test_the_protocol_says_what_is_needed_to_repeat_it() -> None:
    reference = bright(50, 1)
    protocol = evaluate_generator(trained(), reference, Brightness(), samples=20, seed=9, controls=False).protocol
    assert (protocol.reference, protocol.reference_samples, protocol.seed) == ("bright-1", 50, 9)
    assert protocol.reference_sha256 == reference.sha256 and protocol.features_sha256 == "0" * 64
    assert "4x4x1" in str(protocol) and "bright-1" in str(protocol) and "seed 9" in str(protocol)


def test_the_same_seed_gives_the_same_figures_as_plain_json() -> None:
    first, second = (evaluate_generator(trained(), bright(50, 1), Brightness(), samples=30, seed=s) for s in (4, 4))
    assert json.loads(json.dumps(first.to_json())) == second.to_json() | {
        "measurements": list(second.to_json()["measurements"])
    }
    other = evaluate_generator(trained(), bright(50, 1), Brightness(), samples=30, seed=5)
    assert other.model.figures != first.model.figures


def test_the_samples_are_those_of_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    original = Flat.latents

    def spy(self: Flat, seeds: Sequence[int], *, truncation: float | None = None) -> Tensor:
        asked.extend(seeds)
        return original(self, seeds, truncation=truncation)

    monkeypatch.setattr(Flat, "latents", spy)
    evaluate_generator(trained(), bright(20, 1), Brightness(), samples=600, seed=7, controls=False)
    assert asked == sample_seeds(600, 7)


def test_progress_counts_every_image() -> None:
    seen: list[int] = []
    evaluate_generator(trained(), bright(20, 1), Brightness(), held_out=bright(10, 2), samples=300, progress=seen.append)
    assert sum(seen) == 20 + 300 + 10 + 300


@pytest.mark.parametrize("samples", [0, 1, -5])
def test_too_few_samples_are_refused(samples: int) -> None:
    with pytest.raises(InvalidValueError):
        evaluate_generator(trained(), bright(20, 1), Brightness(), samples=samples)

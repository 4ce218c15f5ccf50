from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ganzoo.errors import ConfigError, InvalidValueError, UnknownNameError
from ganzoo.models import AudioGenerator, Discriminator, ImageGenerator, TextGenerator, VideoGenerator
from ganzoo.models.devices import resolve_device, resolve_dtype
from ganzoo.models.seeds import sample_seeds, side_seed
from ganzoo.tokenizers import WordTokenizer


class Tiny(ImageGenerator):
    def __init__(self, size: int = 8, channels: int = 3, name: str = "x", widths: tuple[int, ...] = (4, 2)) -> None:
        super().__init__()
        self.size, self.channels = size, channels
        self.layer = nn.Linear(5, channels * size * size)
        self.norm = nn.BatchNorm1d(channels * size * size)
        self.dropout = nn.Dropout(0.5)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (5,)

    @property
    def output_shape(self) -> tuple[int, ...]:
        return (self.channels, self.size, self.size)

    def forward(self, z: Tensor, brightness: float = 0.0) -> Tensor:
        flat = self.dropout(self.norm(self.layer(z)))
        return torch.tanh(flat.view(-1, *self.output_shape) + brightness)


@pytest.fixture
def tiny() -> Tiny:
    torch.manual_seed(0)
    return Tiny()


def test_a_sample_is_the_same_whatever_the_batch_size_and_the_number(tiny: Tiny) -> None:
    whole = tiny.sample(20, seed=7, batch_size=20).tensor
    for batch_size in (1, 3, 8, 100):
        torch.testing.assert_close(tiny.sample(20, seed=7, batch_size=batch_size).tensor, whole, rtol=0, atol=1e-6)
    torch.testing.assert_close(tiny.sample(4, seed=7).tensor, whole[:4], rtol=0, atol=1e-6)
    assert torch.equal(tiny.latents(sample_seeds(20, 7))[:4], tiny.latents(sample_seeds(4, 7)))


def test_any_sample_can_be_made_again_alone(tiny: Tiny) -> None:
    batch = tiny.sample(6, seed=3)
    again = tiny.sample(seeds=[batch.seeds[4], batch.seeds[1]])
    torch.testing.assert_close(again.tensor, batch.tensor[[4, 1]], rtol=0, atol=1e-6)
    assert batch.seeds[0] == 3
    torch.testing.assert_close(tiny.sample(1, seed=batch.seeds[4]).tensor, batch.tensor[4:5], rtol=0, atol=1e-6)


def test_neighbouring_seeds_share_no_samples() -> None:
    seeds = [s for seed in range(20) for s in sample_seeds(200, seed)]
    assert len(set(seeds)) == len(seeds)


def test_no_seed_draws_a_new_one_and_tells_it(tiny: Tiny) -> None:
    first, second = tiny.sample(2), tiny.sample(2)
    assert first.seeds != second.seeds
    torch.testing.assert_close(tiny.sample(2, seed=first.seeds[0]).tensor, first.tensor)


def test_sampling_leaves_the_global_random_state_and_the_training_mode_alone(tiny: Tiny) -> None:
    tiny.train()
    tiny.norm.eval()
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    tiny.sample(3, seed=0)
    assert torch.equal(torch.rand(1), expected)
    assert (tiny.training, tiny.dropout.training, tiny.norm.training) == (True, True, False)


def test_sampling_is_in_evaluation_mode_and_updates_no_statistics(tiny: Tiny) -> None:
    tiny.train()
    before = tiny.norm.running_mean.clone()  # type: ignore[union-attr]
    assert torch.equal(tiny.sample(3, seed=0).tensor, tiny.sample(3, seed=0).tensor)
    assert torch.equal(tiny.norm.running_mean, before)  # type: ignore[arg-type]


def test_samples_can_be_used_under_autograd(tiny: Tiny) -> None:
    x = tiny.sample(2, seed=0).tensor
    weight = torch.ones(1, requires_grad=True)
    (x * weight).sum().backward()
    assert weight.grad is not None


def test_truncation_bounds_the_latent_and_keeps_the_seed_contract(tiny: Tiny) -> None:
    z = tiny.latents(range(50), truncation=0.5)
    assert z.abs().max() <= 0.5
    inside = tiny.latents(range(50)).abs() <= 0.5
    assert torch.equal(z[inside], tiny.latents(range(50))[inside])
    assert torch.equal(tiny.latents([9], truncation=0.5)[0], z[9])


def test_options_of_forward_are_options_of_sample(tiny: Tiny) -> None:
    assert (tiny.sample(2, seed=0, brightness=5.0).tensor > tiny.sample(2, seed=0).tensor).all()
    with pytest.raises(InvalidValueError, match=r"no sampling option 'brightnes'[\s\S]*brightness"):
        tiny.sample(2, brightnes=5.0)


def test_progress_counts_every_sample(tiny: Tiny) -> None:
    steps: list[int] = []
    tiny.sample(7, seed=0, batch_size=3, progress=steps.append)
    assert steps == [3, 3, 1]


@pytest.mark.parametrize(
    "arguments",
    [
        {"n": 0},
        {"n": -1},
        {"n": 1.5},
        {"n": True},
        {"seed": -1},
        {"seed": 2**32},
        {"seed": "zero"},
        {"seed": 1.0},
        {"seeds": []},
        {"seeds": 5},
        {"truncation": "much"},
        {"seeds": [1, -1]},
        {"batch_size": 0},
        {"truncation": 0.0},
        {"truncation": -1.0},
        {"truncation": float("nan")},
        {"truncation": 1e-9},
    ],
    ids=str,
)
def test_arguments_that_cannot_be_used(tiny: Tiny, arguments: dict[str, object]) -> None:
    with pytest.raises(InvalidValueError):
        tiny.sample(**arguments)  # type: ignore[arg-type]


def test_the_configuration_round_trips(tiny: Tiny) -> None:
    assert tiny.config == {"size": 8, "channels": 3, "name": "x", "widths": [4, 2]}
    assert Tiny(**tiny.config).config == tiny.config
    assert Tiny(4, widths=[1]).config == {"size": 4, "channels": 3, "name": "x", "widths": [1]}


def test_a_subclass_records_its_own_arguments() -> None:
    class Smaller(Tiny):
        def __init__(self, channels: int = 1) -> None:
            super().__init__(size=4, channels=channels)

    assert Smaller().config == {"channels": 1}


@pytest.mark.parametrize("value", [object(), float("nan"), {1: 2}, [{"a": {1, 2}}], torch.zeros(1)], ids=repr)
def test_constructor_arguments_must_be_json(value: object) -> None:
    with pytest.raises(ConfigError, match="'name"):
        Tiny(name=value)  # type: ignore[arg-type]


def test_devices_by_name() -> None:
    assert resolve_device(None) == resolve_device("cpu") == torch.device("cpu")
    assert torch.zeros(1, device=resolve_device("auto")).item() == 0  # whatever it is, it can be used
    for name in ("gpu", "cuda:99", "meta", "", "cpu:x"):
        with pytest.raises(InvalidValueError):
            resolve_device(name)


def test_dtypes_by_name() -> None:
    assert resolve_dtype(None) is None
    assert resolve_dtype("fp16") is resolve_dtype("float16") is resolve_dtype("torch.float16") is torch.float16
    for name in ("float31", "int8", torch.int64):
        with pytest.raises(InvalidValueError):
            resolve_dtype(name)
    with pytest.raises(InvalidValueError, match="bfloat16"):
        resolve_dtype("bfloat-16")


class Words(TextGenerator):
    latent_shape, output_shape, tokenizer = (1,), (3,), WordTokenizer(["a", "b"])  # type: ignore[assignment]

    def forward(self, z: Tensor) -> Tensor:
        return torch.tensor([4, 5, 2]).repeat(len(z), 1)


class Sound(AudioGenerator):
    latent_shape, output_shape, sample_rate = (1,), (1, 100), 8000  # type: ignore[assignment]

    def forward(self, z: Tensor) -> Tensor:
        return z.tanh().view(-1, 1, 1).expand(-1, 1, 100)


class Film(VideoGenerator):
    latent_shape, output_shape, frame_rate = (1,), (3, 4, 6, 6), 10.0  # type: ignore[assignment]

    def forward(self, z: Tensor) -> Tensor:
        return z.tanh().view(-1, 1, 1, 1, 1).expand(-1, 3, 4, 6, 6)


def test_every_modality_has_its_generator_and_samples() -> None:
    assert Words().sample(2, seed=0).text == ["a b", "a b"]
    assert Sound().sample(2, seed=0).sample_rate == 8000
    assert len(Film().sample(2, seed=0).frames()) == 4
    assert [g.modality for g in (Tiny, Words, Sound, Film)] == ["image", "text", "audio", "video"]


@pytest.mark.parametrize(
    ("base", "lacks"), [(Discriminator, "forward"), (ImageGenerator, "latent_shape"), (TextGenerator, "tokenizer")]
)
def test_a_network_that_lacks_a_part_of_its_contract_cannot_be_built(base: type, lacks: str) -> None:
    half = type(base)("Half", (base,), {})
    with pytest.raises(TypeError, match=f"abstract class Half .*{lacks}"):
        half()


def test_latents_do_not_depend_on_the_defaults_of_the_process(tiny: Tiny) -> None:
    expected = tiny.latents([1, 2], truncation=1.0)
    torch.set_default_dtype(torch.float64)
    try:
        with torch.device("meta"):
            found = tiny.latents([1, 2], truncation=1.0)
    finally:
        torch.set_default_dtype(torch.float32)
    assert torch.equal(found, expected)


def test_a_tensor_with_an_entry_a_sample_goes_with_its_sample() -> None:
    class Bright(Tiny):
        def forward(self, z: Tensor, c: Tensor | int = 0) -> Tensor:  # type: ignore[override]
            level = torch.as_tensor(c, dtype=z.dtype).reshape(-1, 1, 1, 1)
            return level.expand(len(z), *self.output_shape) / 10

    network, classes = Bright(), torch.arange(7)
    for batch_size in (1, 2, 7, 100):
        made = network.sample(7, seed=0, batch_size=batch_size, c=classes).tensor.mean((1, 2, 3))
        assert made.tolist() == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    assert network.sample(3, seed=0, batch_size=2, c=torch.tensor(4)).tensor.unique().tolist() == pytest.approx([0.4])
    assert network.sample(3, seed=0, batch_size=2, c=torch.tensor([4])).tensor.unique().tolist() == pytest.approx([0.4])


class Pets(Tiny):
    """Tells what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.num_classes = 3
        self.asked: list[object] = []

    def inputs(self, seeds: Sequence[int], *, truncation: float | None = None, **options: Any) -> tuple[Tensor, dict[str, Any]]:
        return self.latents(seeds), {"brightness": truncation or 0.0, **options}

    def forward(self, z: Tensor, brightness: float = 0.0, c: Tensor | int | None = None) -> Tensor:
        self.asked.append(c.tolist() if isinstance(c, Tensor) else c)
        return super().forward(z, brightness)


@pytest.mark.parametrize(
    ("c", "asked"),
    [
        ("dog", [1, 1]),
        ("2", [2, 2]),
        (0, [0, 0]),
        (["newt", "cat", 1], [[2, 0], [1]]),
        (("cat", "cat", "dog"), [[0, 0], [1]]),
        (torch.tensor([2, 1, 0]), [[2, 1], [0]]),
        (None, [None, None]),
    ],
    ids=str,
)
def test_classes_by_name(c: Any, asked: list[object]) -> None:
    pets = Pets()
    pets.name_classes(["cat", "dog", "newt"])
    pets.sample(3, seed=0, batch_size=2, c=c)
    assert pets.asked == asked


def test_progress_that_cannot_be_called(tiny: Tiny) -> None:
    with pytest.raises(InvalidValueError, match="cannot be called"):
        tiny.sample(1, seed=0, progress=True)  # type: ignore[arg-type]


def test_classes_that_there_are_not() -> None:
    pets = Pets()
    with pytest.raises(UnknownNameError, match="no class named 'dog'.\nThis model knows its classes by number"):
        pets.sample(1, c="dog")
    pets.name_classes(["cat", "dog", "newt"])
    with pytest.raises(UnknownNameError, match="Did you mean 'newt'"):
        pets.sample(1, c=["cat", "newd"])
    with pytest.raises(UnknownNameError, match="Did you mean 'newt'"):
        pets.sample(1, c="NEWT")
    for bad in ([None], [10**30], [[1], [1, 2]], [1j, "cat", {}]):
        with pytest.raises(InvalidValueError, match="whole numbers or names"):
            pets.sample(1, c=bad)
    with pytest.raises(UnknownNameError, match="It has: cat, dog, newt."):
        pets.sample(1, c="zebra")
    with pytest.raises(ConfigError, match="2 names for 3 classes"):
        pets.name_classes(["a", "b"])
    assert pets.class_names == ("cat", "dog", "newt")
    pets.name_classes(["crane", "dog", "crane"])
    pets.sample(1, c="dog")
    assert pets.asked == [1]
    with pytest.raises(InvalidValueError, match="2 classes are named 'crane'.\nGive its number: 0, 2"):
        pets.sample(1, c="crane")


def test_a_family_decides_on_what_forward_is_given() -> None:
    pets = Pets().eval()
    bright = pets.sample(2, seed=0, truncation=0.5).tensor
    assert torch.equal(bright, pets(pets.latents(sample_seeds(2, 0)), 0.5).detach())


def test_side_seeds_are_nobodys_sample() -> None:
    seeds = [s for seed in range(20) for s in sample_seeds(50, seed)]
    sides = [side_seed(seed, stream) for seed in seeds for stream in (1, 2)]
    assert len(set(seeds + sides)) == 3 * len(seeds)
    with pytest.raises(InvalidValueError, match="seed"):
        side_seed(-1, 1)

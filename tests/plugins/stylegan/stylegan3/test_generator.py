"""Sampling, classes, truncation and mixing of StyleGAN3, and what it says to bad arguments."""

from typing import Any

import pytest
import torch
from torch import Tensor

from ganzoo.errors import ConfigError, InvalidValueError, UnknownNameError
from ganzoo_stylegan.stylegan3.convolution import styled_convolution
from ganzoo_stylegan.stylegan3.networks import StyleGAN3Generator
from ganzoo_stylegan.weight_forms import squared_norms
from tests.plugins.stylegan.stylegan3.small import CONFIGS, generator, inputs


@pytest.mark.parametrize("name", ["t", "r", "classes"])
def test_a_sample_does_not_depend_on_its_batch(name: str) -> None:
    """One sample's styles are tiny beside those of the others: normalised together, the epsilon would count for it alone."""
    made = generator(name)
    classes = torch.tensor([0, 2, 1, 1, 0])
    options: dict[str, Any] = {"c": classes} if made.num_classes else {}
    seeds = made.sample(5, seed=3, **options).seeds
    with torch.no_grad():
        w = made.map(made.latents(seeds[1:2]).double(), classes[1:2])[0, 0]
        for layer in made.synthesis.layers[:-1]:
            tiny = 1e-5 * torch.cos(torch.arange(len(layer.affine.bias)))
            layer.affine.bias.copy_(tiny - layer.affine.weight @ w * layer.affine.weight_gain)
    together, apart = (made.sample(5, seed=3, batch_size=size, **options) for size in (5, 2))
    assert together.seeds == apart.seeds == seeds
    assert torch.allclose(together.tensor, apart.tensor, atol=1e-6)
    alone = made.sample(seeds=seeds[1:2], **({"c": 2} if options else {}))
    assert torch.allclose(alone.tensor[0], together.tensor[1], atol=1e-6)
    as_published = made.sample(5, seed=3, batch_size=5, independent=False, **options)
    assert not torch.allclose(as_published.tensor[1], together.tensor[1], atol=1e-3)


def test_normalising_apart_is_exact_where_normalising_together_is_not() -> None:
    """With an epsilon that can be seen, the batch matters in the published way of normalising and not in the other."""
    rng = torch.Generator().manual_seed(0)
    x, weight = (torch.randn(*shape, generator=rng, dtype=torch.float64) for shape in ((2, 3, 4, 4), (5, 3, 3, 3)))
    styles = torch.tensor([[1e-4, 2e-4, -1e-4], [3.0, -2.0, 1.0]], dtype=torch.float64)
    bias, gain = torch.randn(5, generator=rng, dtype=torch.float64), torch.tensor(0.7, dtype=torch.float64)
    squares = squared_norms(weight)
    for independent in (True, False):
        both = styled_convolution(x, weight, bias, styles, gain, squares=squares, independent=independent)
        first = styled_convolution(x[:1], weight, bias, styles[:1], gain, squares=squares, independent=independent)
        difference = float((both[:1] - first).abs().max() / first.abs().max())
        assert (difference < 1e-13) == independent
    published = styled_convolution(x, weight, bias, styles, gain, squares=squares)
    assert torch.allclose(published, published_way(x, weight, bias, styles, gain), rtol=1e-12)


def published_way(x: Tensor, weight: Tensor, bias: Tensor, styles: Tensor, gain: Tensor) -> Tensor:
    weight = weight / weight.square().mean((1, 2, 3), keepdim=True).sqrt()
    styles = styles / styles.square().mean().sqrt()
    rows = []
    for sample, style in zip(x, styles, strict=True):
        w = weight * style[:, None, None]
        w = w / (w.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt() * gain
        rows.append(torch.nn.functional.conv2d(sample[None], w, bias, padding=2))
    return torch.cat(rows)


def test_an_image_keeps_its_value_in_float32_whatever_stands_beside_it() -> None:
    made = generator("t").float()
    together, apart = (made.sample(4, seed=3, batch_size=size) for size in (4, 1))
    assert torch.allclose(together.tensor, apart.tensor, atol=2e-5 * float(together.tensor.abs().max()))


def test_truncation_moves_the_first_layers_to_the_mean() -> None:
    made = generator("t")
    z, _ = inputs(made)
    ws, mean = made.map(z), made.w_avg
    cut = made.map(z, truncation=0.3, truncation_cutoff=2)
    assert torch.allclose(cut[:, :2], mean + 0.3 * (ws[:, :2] - mean))
    assert torch.equal(cut[:, 2:], ws[:, 2:])
    assert torch.allclose(made(z, truncation=0.0), made.synthesise(mean.expand(2, made.num_ws, -1)))
    assert torch.allclose(made.sample(2, seed=1, truncation=0.3, truncation_cutoff=2).tensor, _cut(made, 0.3, 2), atol=1e-6)
    for bad in ("much", True, float("nan")):
        with pytest.raises(InvalidValueError, match="truncation must be a number"):
            made.sample(1, seed=0, truncation=bad)


def _cut(made: StyleGAN3Generator, psi: float, cutoff: int) -> Tensor:
    z = made.latents(made.sample(2, seed=1).seeds).double()
    ws = made.map(z)
    ws = torch.cat([made.w_avg + psi * (ws[:, :cutoff] - made.w_avg), ws[:, cutoff:]], 1)
    return made.synthesise(ws).detach().float()


def test_styles_are_mixed_by_layers() -> None:
    made = generator("t")
    z, _ = inputs(made, 3)
    first, other = z[:2], z[2:]
    with torch.no_grad():
        ws = made.map(first).clone()
        ws[:, 3:] = made.map(other)[:, 3:]
        assert torch.allclose(made(first, mix_z=other, mix_layers=3), made.synthesise(ws), atol=1e-12)
        assert torch.allclose(made(first, mix_z=other, mix_layers=range(made.num_ws)), made(other), atol=1e-8)
    with pytest.raises(InvalidValueError, match="mix_z"):
        made(first, mix_layers=2)
    with pytest.raises(InvalidValueError, match="from 0 to 5"):
        made(first, mix_z=other, mix_layers=[6])


def test_classes_by_number_and_name() -> None:
    made = generator("classes")
    made.name_classes(["cat", "dog", "owl"])
    by_number, by_name = (made.sample(2, seed=4, c=c).tensor for c in (2, "owl"))
    assert torch.equal(by_number, by_name)
    assert not torch.allclose(by_number, made.sample(2, seed=4, c=["owl", "cat"]).tensor[1:], atol=1e-3)
    with pytest.raises(UnknownNameError, match="owls"):
        made.sample(1, seed=0, c="owls")
    with pytest.raises(InvalidValueError, match="out of range"):
        made.sample(1, seed=0, c=3)
    with pytest.raises(InvalidValueError, match="needs a class"):
        made.sample(1, seed=0)


def test_noise_is_accepted_and_changes_nothing() -> None:
    made = generator("t")
    assert torch.equal(made.sample(1, seed=0, noise_mode="random").tensor, made.sample(1, seed=0).tensor)
    with pytest.raises(InvalidValueError, match="noise_mode 'loud'"):
        made.sample(1, seed=0, noise_mode="loud")


def test_shapes_are_checked_in_words() -> None:
    made = generator("t")
    with pytest.raises(InvalidValueError, match=r"\[N, 5\], not \[2, 4\]"):
        made(torch.randn(2, 4))
    with pytest.raises(InvalidValueError, match=r"\[N, 6, 6\], not \[2, 5, 6\]"):
        made.synthesise(torch.randn(2, 5, 6))


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"image_size": 2}, "'image_size' is 2"),
        ({"layers": 0}, "'layers' is 0"),
        ({"layers": 4.0}, "'layers' is 4.0"),
        ({"critical_layers": 4}, "Of 4 layers 4"),
        ({"first_cutoff": 0}, "'first_cutoff' is 0"),
        ({"first_stopband": "wide"}, "'first_stopband' is 'wide'"),
        ({"channel_max": True}, "'channel_max' is True"),
        ({"margin": -1}, "'margin' is -1"),
        ({"image_size": 10**6}, "too large"),
        ({"conv_clamp": -1}, "'conv_clamp' is -1"),
        ({"mapping_lr": 0}, "multiplier"),
    ],
)
def test_bad_configurations(config: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        StyleGAN3Generator(**{**CONFIGS["t"], **config})


def test_arguments_round_trip() -> None:
    for config in CONFIGS.values():
        made = StyleGAN3Generator(**config)
        twin = StyleGAN3Generator(**made.config)
        assert twin.config == made.config
        assert [(k, v.shape) for k, v in twin.state_dict().items()] == [(k, v.shape) for k, v in made.state_dict().items()]


def test_the_highest_resolutions_in_half_precision() -> None:
    made = generator("t", image_size=32, num_fp16_res=1).float()
    plain = made.sample(2, seed=0).tensor
    made.synthesis.precision.half_on_cpu = True
    dtypes: list[torch.dtype] = []
    for layer in made.synthesis.layers:
        layer.register_forward_hook(lambda *hooked: dtypes.append(hooked[2].dtype))
    half = made.sample(2, seed=0).tensor
    assert half.dtype == torch.float32
    rates = [layer.plan.after.rate for layer in made.synthesis.layers]
    assert [dtype == torch.float16 for dtype in dtypes] == [2 * rate > 32 for rate in rates]
    assert len(set(dtypes)) == 2
    assert 0 < float((half - plain).abs().max()) < 0.02 * float(plain.abs().max())


def test_everything_learns_and_second_derivatives_are_right() -> None:
    made = generator("r", image_size=8, channel_max=3, layers=3, w_dim=3)
    z, _ = inputs(made)
    made(z).square().sum().backward()
    assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in made.parameters())
    ws = made.map(z[:1]).detach().clone(memory_format=torch.contiguous_format).requires_grad_()
    assert torch.autograd.gradgradcheck(lambda w: made.synthesise(w)[:, :1, 3:5, 3:5], [ws], atol=1e-3)


def test_it_can_be_exported() -> None:
    made = generator("t").float()
    z, _ = inputs(made, 2)
    program = torch.export.export(made, (z.float(),))
    assert torch.allclose(program.module()(z.float()), made(z.float()), atol=1e-5)

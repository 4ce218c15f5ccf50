"""Where StyleGAN2's clamp, activations and resampling filters hold, in closed form and by the names of NVIDIA's tensors."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from ganzoo.building import build, build_random
from ganzoo.checkpoint import Stated, read_checkpoint, recognise
from ganzoo_stylegan.stylegan2.declaration import STYLEGAN2
from ganzoo_stylegan.stylegan2.discriminator import StyleGAN2Discriminator
from ganzoo_stylegan.stylegan2.layers import Convolution, LayerStyle, SynthesisLayer
from ganzoo_stylegan.stylegan2.layouts import NvidiaDiscriminator
from ganzoo_stylegan.stylegan2.networks import StyleGAN2Generator
from ganzoo_stylegan.stylegan2.rosinality import RosinalityDiscriminator, RosinalityGenerator

USUAL = torch.outer(torch.tensor([1.0, 3, 3, 1]), torch.tensor([1.0, 3, 3, 1])) / 64
CLAMP, GAIN = 0.7, 0.5
FIVE = [1.0, 4, 6, 4, 1]
SMALL: dict[str, Any] = {"image_size": 16, "z_dim": 6, "w_dim": 5, "widths": [7, 6, 4], "mapping_layers": 2}
JUDGE: dict[str, Any] = {"image_size": 16, "widths": [6, 5, 4]}


# --- the clamp --------------------------------------------------------------------------------------------------------


def saturating(kind: str, up: int, style: LayerStyle) -> Any:
    layer = SynthesisLayer(6, 8, 4, 8 * up, style, up=up) if kind == "styled" else Convolution(6, 8, 3, style, up=up)
    with torch.no_grad():
        assert layer.bias is not None
        layer.bias.copy_(torch.tensor([1e4, -1e4]).repeat(4))
    return layer.eval()


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("up", [1, 2])
@pytest.mark.parametrize("kind", ["styled", "plain"])
@pytest.mark.parametrize(("activation", "lowest"), [("lrelu", -1.0), ("linear", -1.0), ("relu", 0.0), ("swish", 0.0)])
def test_the_clamp_grows_with_the_layers_gain_alone(activation: str, lowest: float, kind: str, up: int, batch: int) -> None:
    """Not with that of the activation: the root of two of most of them."""
    layer, x = saturating(kind, up, LayerStyle(activation, conv_clamp=CLAMP)), torch.randn(batch, 6, 8, 8)
    for context in (torch.enable_grad(), torch.inference_mode()):
        with context:
            styled = (torch.randn(batch, 4), lambda count, stored: stored) if kind == "styled" else ()
            y = layer(x, *styled, GAIN)
        assert torch.allclose(y[:, ::2], torch.tensor(CLAMP * GAIN))
        assert torch.allclose(y[:, 1::2], torch.tensor(lowest * CLAMP * GAIN))


# --- filters ----------------------------------------------------------------------------------------------------------


def filters(network: Any) -> dict[str, tuple[int, ...]]:
    return {
        name.removesuffix(".resample_filter"): tuple(tensor.shape)
        for name, tensor in network.state_dict().items()
        if name.endswith("resample_filter")
    }


def test_layers_that_keep_the_resolution_store_the_usual_filter() -> None:
    """As NVIDIA's programs do, whatever the filter of the others is."""
    G = build_random(StyleGAN2Generator, {**SMALL, "architecture": "resnet", "resample_filter": FIVE}, seed=1)
    five, usual = (5, 5), (4, 4)
    assert filters(G) == {
        "synthesis.b4": five,
        "synthesis.b4.conv1": usual,
        **{f"synthesis.b{size}": five for size in (8, 16)},
        **{f"synthesis.b{size}.{layer}": five for size in (8, 16) for layer in ("conv0", "skip")},
        **{f"synthesis.b{size}.conv1": usual for size in (8, 16)},
    }
    assert torch.allclose(G.state_dict()["synthesis.b8.conv1.resample_filter"], USUAL)
    D = build_random(StyleGAN2Discriminator, {**JUDGE, "architecture": "skip", "resample_filter": FIVE}, seed=1)
    assert filters(D) == {
        **{f"b{size}{layer}": five for size in (8, 16) for layer in ("", ".conv1")},
        **{f"b{size}.{layer}": usual for size in (8, 16) for layer in ("fromrgb", "conv0")},
        "b4.fromrgb": usual,
        "b4.conv": usual,
    }


@pytest.mark.parametrize("taps", [[1.0, 2, 1], FIVE, [1.0, 1], [1.0, 2, 3, 4, 4, 3, 2, 1]], ids=len)
def test_rosinalitys_filters_of_any_length(taps: list[float], tmp_path: Path) -> None:
    """That program enlarges images with the usual filter whatever the filter of features is, and keeps both."""
    square = torch.outer(torch.tensor(taps), torch.tensor(taps)).tolist()  # it knows no others
    shared: dict[str, Any] = {"resample_filter": square, "image_filter": (1, 3, 3, 1), "equalised": True}
    G = build_random(StyleGAN2Generator, {**SMALL, **shared}, seed=1)
    D = build_random(StyleGAN2Discriminator, {**JUDGE, "resample_filter": square}, seed=2)
    stored = {
        "g_ema": RosinalityGenerator().export(G.state_dict(), G.config),
        "d": RosinalityDiscriminator().export(D.state_dict(), D.config),
        "latent_avg": torch.randn(5),
    }
    torch.save(stored, tmp_path / "file.pt")
    found = {m.role: m for m in recognise(read_checkpoint(tmp_path / "file.pt"), [("stylegan", STYLEGAN2)])}
    assert set(found) == {"generator", "discriminator"}
    z, images = torch.randn(2, 6), torch.randn(4, 3, 16, 16)
    assert torch.allclose(build(StyleGAN2Generator, found["generator"].config, found["generator"].state)(z), G.eval()(z))
    again = build(StyleGAN2Discriminator, found["discriminator"].config, found["discriminator"].state)
    assert torch.allclose(again(images), D.eval()(images))


def test_images_may_be_enlarged_by_a_filter_of_their_own() -> None:
    """Two equal taps repeat every pixel; those of the features would blur them."""
    G: Any = build_random(StyleGAN2Generator, {**SMALL, "image_filter": [1, 1]}, seed=1).eval()
    block, small = G.synthesis.b8, torch.randn(1, 3, 4, 4)
    with torch.no_grad():
        block.torgb.weight.zero_()
        block.torgb.bias.zero_()
        enlarged = block.image(torch.randn(1, 6, 8, 8), small, torch.randn(1, 3, 5))
    assert torch.allclose(enlarged, small.repeat_interleave(2, 2).repeat_interleave(2, 3))


# --- the end of the discriminator -------------------------------------------------------------------------------------


def activations(config: dict[str, Any]) -> dict[str, Tensor]:
    D, seen = build_random(StyleGAN2Discriminator, {**JUDGE, **config}, seed=1), dict[str, Tensor]()
    for name in ("b8.conv0", "b4.conv"):
        D.get_submodule(name).register_forward_hook(lambda *hooked, name=name: seen.update({name: hooked[2]}))
    with torch.no_grad():
        D(torch.randn(4, 3, 16, 16))
    return seen


def test_the_end_may_have_an_activation_of_its_own() -> None:
    seen = activations({"end_activation": "relu"})
    assert float(seen["b8.conv0"].min()) < 0 == float(seen["b4.conv"].min())
    seen = activations({"activation": "relu", "end_activation": "lrelu"})
    assert float(seen["b4.conv"].min()) < 0 == float(seen["b8.conv0"].min())
    seen = activations({"activation": "relu"})
    assert float(seen["b4.conv"].min()) == 0 == float(seen["b8.conv0"].min())


@pytest.mark.parametrize(("end", "told"), [("lrelu", "lrelu"), ("relu", None)])
def test_snapshots_state_the_ends_activation(end: str, told: str | None) -> None:
    """The arguments of NVIDIA's blocks do not reach its last part, which has others."""
    layers = {"b8": Stated("", parts={"conv0": Stated("", attributes={"activation": "relu", "conv_clamp": None})})}
    layers["b4"] = Stated("", parts={"conv": Stated("", attributes={"activation": end, "conv_clamp": None})})
    config = NvidiaDiscriminator().refine({"widths": [6, 5, 4]}, Stated("Discriminator", parts=layers))
    assert config is not None
    assert (config["activation"], config.get("end_activation")) == ("relu", told)

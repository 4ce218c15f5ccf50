"""The networks agree with formulas written out on a checkpoint's own variables, over many configurations, in float64."""

from typing import Any

import pytest
import torch
from torch import Tensor

from ganzoo.building import build_random
from ganzoo.errors import ConfigError, InvalidValueError
from ganzoo.models import Network
from ganzoo.nn.folding import Kept
from ganzoo_stylegan.stylegan1.layouts import GenforceDiscriminator, GenforceGenerator
from ganzoo_stylegan.stylegan1.networks import StyleGAN1Discriminator, StyleGAN1Generator
from tests.plugins.stylegan.stylegan1 import formulas
from tests.plugins.stylegan.stylegan1.formulas import Facts, filled

SMALL: dict[str, Any] = {"image_size": 16, "z_dim": 6, "w_dim": 5, "mapping_width": 7, "channel_base": 64, "channel_max": 9}
GENERATORS: dict[str, tuple[dict[str, Any], Facts]] = {
    "4 pixels": ({"image_size": 4}, Facts()),
    "8 pixels, grey": ({"image_size": 8, "channels": 1}, Facts()),
    "16 pixels": ({}, Facts()),
    "64 pixels, 4 channels": ({"image_size": 64, "channels": 4, "channel_base": 128}, Facts()),
    "128 pixels, the last layer fused": ({"image_size": 128, "channel_base": 256, "channel_max": 4}, Facts()),
    "all fused": ({"fused_up": True}, Facts(fused=True)),
    "none fused": ({"image_size": 128, "channel_base": 256, "channel_max": 3, "fused_up": False}, Facts(fused=False)),
    "classes": ({"num_classes": 3}, Facts()),
    "one class": ({"num_classes": 1, "mapping_layers": 1}, Facts()),
    "odd widths": ({"widths": [7, 3, 5]}, Facts()),
    "from w": ({"const_input": False, "num_classes": 2}, Facts()),
    "channel noise": ({"noise": "channel"}, Facts()),
    "no noise": ({"noise": "none"}, Facts()),
    "no blur": ({"blur": None}, Facts()),
    "wide blur": ({"blur": [1, 4, 6, 4, 1]}, Facts()),
    "lopsided blur": ({"blur": [1, 2, 5]}, Facts()),
    "unscaled": ({"equalised": False}, Facts(equalised=False)),
    "tanh, slow mapping": ({"final_tanh": True, "mapping_lr": 0.5}, Facts(tanh=True, lr_multiplier=0.5)),
    "12 layers of mapping": ({"mapping_layers": 12}, Facts()),
    "no mapping": ({"mapping_layers": 0, "z_dim": 5}, Facts()),
    "one image layer": ({"growing": False}, Facts()),
}
DISCRIMINATORS: dict[str, tuple[dict[str, Any], Facts]] = {
    "4 pixels": ({"image_size": 4}, Facts()),
    "8 pixels, grey": ({"image_size": 8, "channels": 1}, Facts()),
    "16 pixels": ({}, Facts()),
    "128 pixels": ({"image_size": 128, "channel_base": 256, "channel_max": 4}, Facts()),
    "classes": ({"num_classes": 3}, Facts()),
    "odd widths": ({"widths": [7, 3, 5], "dense_width": 11}, Facts()),
    "no deviation": ({"std_group": 0}, Facts()),
    "pairs, two channels": ({"std_group": 2, "std_channels": 2, "channel_max": 8}, Facts(group=2)),
    "large group": ({"std_group": 8}, Facts(group=8)),
    "no blur": ({"blur": None}, Facts()),
    "wide blur": ({"blur": [1, 4, 6, 4, 1]}, Facts()),
    "unscaled": ({"equalised": False}, Facts(equalised=False)),
    "one image layer": ({"growing": False}, Facts()),
}
DISCRIMINATOR = {name: value for name, value in SMALL.items() if name not in ("z_dim", "w_dim", "mapping_width")}


def generator(config: dict[str, Any]) -> tuple[StyleGAN1Generator, dict[str, Tensor]]:
    """A network in float64 without anything at its constant beginning, and its state as genforce names it."""
    G = build_random(StyleGAN1Generator, SMALL | config, seed=1).double().eval()
    filled(G)
    return G, GenforceGenerator().export(G.state_dict(), full(G))


def discriminator(config: dict[str, Any]) -> tuple[StyleGAN1Discriminator, dict[str, Tensor]]:
    D = build_random(StyleGAN1Discriminator, DISCRIMINATOR | config, seed=1).double().eval()
    filled(D)
    return D, GenforceDiscriminator().export(D.state_dict(), full(D))


def full(network: Any) -> dict[str, Any]:
    """Its arguments with the widths spelt out, as a layout infers them."""
    stages = network.synthesis.layers[::2] if isinstance(network, StyleGAN1Generator) else None
    if stages is not None:
        return {**network.config, "widths": [layer.styled.style.weight.shape[0] // 2 for layer in stages]}
    downs = [stage.conv.weight.shape[0] for stage in network.stages]
    return {**network.config, "widths": [network.conv.weight.shape[0], *downs[::-1]]}


def same(got: Tensor, wanted: Tensor, tolerance: float = 1e-10) -> None:
    assert got.shape == wanted.shape
    error = float((got - wanted).detach().abs().max())
    assert error <= tolerance * float(wanted.detach().abs().max()), error


def labels_of(network: Network, count: int) -> tuple[Tensor | None, Tensor | None]:
    classes = getattr(network, "num_classes", 0)
    c = torch.arange(count) % classes if classes else None
    return c, None if c is None else torch.nn.functional.one_hot(c, classes).double()


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize("grad", [False, True], ids=["alone", "gradients"])
def test_generator(name: str, grad: bool) -> None:
    config, facts = GENERATORS[name]
    G, state = generator(config)
    z = torch.randn(3, G.z_dim, dtype=torch.float64)
    c, labels = labels_of(G, 3)
    with torch.set_grad_enabled(grad):
        w = formulas.mapped(state, z, labels, facts)
        for psi, cutoff in ((1.0, None), (0.6, 2), (-0.5, 0), (1.5, G.num_ws)):
            ws = formulas.truncated(state, w, G.num_ws, psi, 8 if cutoff is None else cutoff)
            same(G.map(z, c, truncation=psi, truncation_cutoff=cutoff), ws)
            wanted = formulas.synthesised(state, ws, facts)
            same(G(z, c, truncation=psi, truncation_cutoff=cutoff), wanted)
        same(G.synthesise(ws, noise_mode="none"), formulas.synthesised(state, ws, facts, noise="none"))
    assert wanted.shape == (3, *G.output_shape)


@pytest.mark.parametrize("name", DISCRIMINATORS)
@pytest.mark.parametrize("count", [1, 4, 8])
def test_discriminator(name: str, count: int) -> None:
    config, facts = DISCRIMINATORS[name]
    D, state = discriminator(config)
    x = torch.randn(count, D.config["channels"], *[D.config["image_size"]] * 2, dtype=torch.float64)
    c, labels = labels_of(D, count)
    same(D(x, c), formulas.judged(state, x, labels, facts))


@pytest.mark.parametrize("lod", [0.0, 0.25, 1.0, 1.5, 2.0, 2.75, 3.0])
def test_levels_of_detail(lod: float) -> None:
    G, state = generator({"image_size": 32})
    ws = G.map(torch.randn(2, 6, dtype=torch.float64))
    wanted = formulas.synthesised(state, ws, Facts(), lod=lod)
    same(G.synthesise(ws, lod=lod), wanted)
    D, d_state = discriminator({"image_size": 32})
    judged = formulas.judged(d_state, wanted, None, Facts(), lod=lod)
    same(D(wanted, lod=lod), judged)
    for network in (G, D):  # as a checkpoint has it
        loaded = network.state_dict()
        loaded[next(name for name in loaded if name.endswith("lod"))] = torch.tensor(lod)
        network.load_state_dict(loaded)
    same(G.synthesise(ws), wanted)
    same(D(wanted), judged)


def test_levels_that_there_are_not() -> None:
    (G, _), (D, _) = generator({}), discriminator({})
    ws, x = torch.zeros(1, G.num_ws, 5).double(), torch.zeros(1, 3, 16, 16).double()
    for lod in (-0.1, 2.1, float("nan")):
        with pytest.raises(InvalidValueError, match="between 0 and 2"):
            G.synthesise(ws, lod=lod)
        with pytest.raises(InvalidValueError, match="between 0 and 2"):
            D(x, lod=lod)
    fixed, _ = generator({"growing": False})
    with pytest.raises(InvalidValueError, match="between 0 and 0"):
        fixed.synthesise(ws, lod=1)
    wanted = fixed.synthesise(ws)
    fixed.load_state_dict({**fixed.state_dict(), "synthesis.level.lod": torch.tensor(1.0)})  # which it does not use
    assert torch.equal(fixed.synthesise(ws), wanted)


def test_gradients_of_every_order() -> None:
    """R1's second order through every layer of the discriminator, path lengths through those of the generator."""
    D = build_random(
        StyleGAN1Discriminator, {"image_size": 8, "channels": 1, "widths": [2, 1], "dense_width": 2}, seed=0
    ).double()
    x = torch.randn(2, 1, 8, 8, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(D, (x,)) and torch.autograd.gradgradcheck(D, (x,))
    config = {**SMALL, "image_size": 8, "channels": 1, "w_dim": 2, "widths": [2, 1]}
    G = build_random(StyleGAN1Generator, config, seed=0).double().eval()
    filled(G)
    ws = torch.randn(1, 4, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(G.synthesise, (ws,)) and torch.autograd.gradgradcheck(G.synthesise, (ws,))


def test_weights_kept_for_many_images_follow_the_weights() -> None:
    G, _ = generator({})
    z = torch.randn(2, 6, dtype=torch.float64)
    with torch.inference_mode():
        first = G(z)
    assert any(isinstance(m.kept, Kept) and m.kept._known for m in G.modules() if hasattr(m, "kept"))
    with torch.no_grad():
        G.synthesis.layers[2].conv.weight.mul_(2)  # type: ignore[union-attr]
    with torch.inference_mode():
        second = G(z)
    assert not torch.equal(first, second)
    same(second, formulas.synthesised(GenforceGenerator().export(G.state_dict(), full(G)), G.map(z), Facts()))


def test_the_paper_s_networks() -> None:
    """Table 1's generator has 26.2 million parameters, 26,219,627 in the authors' program; the other count is our own."""
    G, D = build_random(StyleGAN1Generator, {}, seed=0), build_random(StyleGAN1Discriminator, {}, seed=0)
    assert (G.parameter_count(), D.parameter_count()) == (26_219_627, 23_087_249)
    assert (G.num_ws, G.output_shape, G.latent_shape) == (18, (3, 1024, 1024), (512,))
    assert (G.w_avg_beta, G.style_mixing) == (0.995, 0.9)


def test_the_start_of_training() -> None:
    G = build_random(StyleGAN1Generator, {"image_size": 16, "channel_max": 64}, seed=0)
    state = G.state_dict()
    assert torch.equal(state["synthesis.layers.0.conv.const"], torch.ones(1, 64, 4, 4))
    assert state["mapping.fc3.weight"].std().item() == pytest.approx(100, rel=0.02)  # 1 over the multiplier
    assert state["synthesis.layers.3.conv.weight"].std().item() == pytest.approx(1, rel=0.02)
    assert state["synthesis.layers.3.styled.noise"].std().item() == pytest.approx(1, rel=0.2)
    assert not any(state[name].any() for name in state if name.endswith(("bias", "noise_weight", "w_avg", "lod")))
    kernel = torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16
    assert torch.equal(state["synthesis.layers.2.conv.blur.kernel"], kernel.expand(64, 1, 3, 3))
    unscaled = build_random(StyleGAN1Generator, {"image_size": 16, "channel_max": 64, "equalised": False}, seed=0).state_dict()
    std = (2 / (9 * 64)) ** 0.5
    assert unscaled["synthesis.layers.3.conv.weight"].std().item() == pytest.approx(std, rel=0.02)


@pytest.mark.parametrize("options", [{}, {"noise_mode": "random"}, {"noise_mode": "none"}, {"c": [0, 2, 1, 1, 0]}], ids=str)
@pytest.mark.parametrize("noise", ["spatial", "channel"])
def test_samples_do_not_depend_on_the_batch(options: dict[str, Any], noise: str) -> None:
    classes = 3 if "c" in options else 0
    G = build_random(StyleGAN1Generator, {**SMALL, "num_classes": classes, "noise": noise}, seed=2).eval()
    filled(G)
    together, apart = (G.sample(5, seed=3, batch_size=size, truncation=0.7, **options) for size in (5, 2))
    assert torch.allclose(together.tensor, apart.tensor, atol=1e-4)
    single = {**options, "c": options["c"][3]} if "c" in options else options
    alone = G.sample(seeds=[together.seeds[3]], truncation=0.7, **single)
    assert torch.allclose(alone.tensor[0], together.tensor[3], atol=1e-4)
    assert not torch.allclose(together.tensor[0], together.tensor[3], atol=1e-2)
    if options.get("noise_mode") == "random":
        assert not torch.allclose(together.tensor, G.sample(5, seed=3, truncation=0.7).tensor, atol=1e-2)


def test_styles_are_mixed_by_layer() -> None:
    G, state = generator({})
    first, second = torch.randn(2, 2, 6, dtype=torch.float64)
    ws = torch.stack([G.map(second if i in (1, 2) else first)[:, i] for i in range(G.num_ws)], 1)
    same(G(first, mix_z=second, mix_layers=[1, 2]), formulas.synthesised(state, ws, Facts()))


def test_the_cutoff_is_the_paper_s_unless_told_otherwise() -> None:
    G, _ = generator({"image_size": 128, "channel_base": 256, "channel_max": 2})
    z = torch.randn(1, 6, dtype=torch.float64)
    ws = G.map(z, truncation=0)
    assert torch.equal(ws[0, :8], G.w_avg.expand(8, -1)) and torch.equal(ws[:, 8:], G.map(z)[:, 8:])
    assert torch.equal(G.map(z, truncation=0, truncation_cutoff=G.num_ws), G.w_avg.expand(1, 12, -1))
    everywhere, _ = generator({"truncation_cutoff": None})
    assert torch.equal(everywhere.map(z, truncation=0), everywhere.w_avg.expand(1, 6, -1))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda G, D: G(torch.zeros(2, 7)), r"\[N, 6\], not \[2, 7\]"),
        (lambda G, D: G(torch.zeros(2, 6)), "needs a class"),
        (lambda G, D: G(torch.zeros(2, 6), 3), "0 to 2"),
        (lambda G, D: G(torch.zeros(2, 6), 0, truncation="much"), "must be a number"),
        (lambda G, D: G(torch.zeros(2, 6), 0, noise_mode="loud"), "no noise_mode 'loud'"),
        (lambda G, D: G.synthesise(torch.zeros(1, 5, 5)), r"\[N, 6, 5\]"),
        (lambda G, D: D(torch.zeros(2, 3, 16, 16)), "needs a class"),
        (lambda G, D: D(torch.zeros(2, 3, 16, 16), 3), "0 to 2"),
        (lambda G, D: D(torch.zeros(6, 3, 16, 16), 0), "groups of 4"),
    ],
)
def test_what_cannot_be_used(call: Any, words: str) -> None:
    G = build_random(StyleGAN1Generator, {**SMALL, "num_classes": 3}, seed=0).eval()
    D = build_random(StyleGAN1Discriminator, {**DISCRIMINATOR, "num_classes": 3}, seed=0)
    with pytest.raises(InvalidValueError, match=words):
        call(G, D)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"image_size": 24}, "power of two"),
        ({"image_size": 2}, "power of two"),
        ({"widths": [4, 4]}, "3 widths"),
        ({"channel_base": 8}, "widths of at least 1"),
        ({"blur": [1, 1]}, "odd number"),
        ({"blur": [1, -2, 1]}, "odd number"),
        ({"num_classes": -1}, "-1 classes"),
    ],
)
def test_bad_configurations(config: dict[str, Any], words: str) -> None:
    for cls, small in ((StyleGAN1Generator, SMALL), (StyleGAN1Discriminator, DISCRIMINATOR)):
        with pytest.raises(ConfigError, match=words):
            cls(**{**small, **config})  # type: ignore[operator]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"mapping_layers": -1}, "mapped"),
        ({"mapping_layers": 0}, "mapped"),
        ({"mapping_lr": 0}, "multiplier"),
        ({"noise": "loud"}, "no noise 'loud'"),
    ],
)
def test_bad_generators(config: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        StyleGAN1Generator(**{**SMALL, **config})


def test_channels_that_cannot_be_compared_in_parts() -> None:
    with pytest.raises(ConfigError, match="2 std_channels"):
        StyleGAN1Discriminator(**{**DISCRIMINATOR, "std_channels": 2})

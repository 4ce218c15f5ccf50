"""R3GAN agrees with the reference's outputs, features, loss, penalties and gradients."""

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from ganzoo.building import build, network_class
from ganzoo.checkpoint import Match, read_checkpoint, recognise
from ganzoo_r3gan import ganzoo_architectures
from tests.support.packs import Pack, gradient_norms, packs, read_pack

ARCHITECTURES = [("r3gan", architecture) for architecture in ganzoo_architectures()]
DTYPES = [torch.float32, torch.float64]
# What the reference calls the arguments that its constructors and ours have in common, in the generator's order of stages.
NAMES = {
    "WidthPerStage": "widths",
    "CardinalityPerStage": "cardinalities",
    "BlocksPerStage": "blocks",
    "ExpansionFactor": "expansion",
    "KernelSize": "kernel_size",
    "NoiseDimension": "latent_size",
    "img_resolution": "image_size",
    "c_dim": "num_classes",
}


def test_the_tree_has_both_packs() -> None:
    assert {path.name for path in packs("r3gan_")} >= {"r3gan_d.safetensors", "r3gan_g.safetensors"}


def recognised(pack: Pack, role: str, tmp_path: Path) -> Match:
    """The pack's state, saved to a file and found again: every argument is the one that the pack was made with."""
    save_file(pack.state, tmp_path / "state.safetensors")
    (match,) = recognise(read_checkpoint(tmp_path / "state.safetensors"), ARCHITECTURES)
    assert (match.architecture.id, match.role, match.layout) == ("r3gan", role, "r3gan")
    for theirs, value in pack.meta["config"]["constructor"].items():
        if theirs in NAMES:
            ordered = value[::-1] if isinstance(value, list) and role == "discriminator" else value
            assert match.config[NAMES[theirs]] == ordered, theirs
    back = match.reader.export(match.state, match.config)
    assert back.keys() == pack.state.keys()
    assert all(torch.equal(back[key], tensor) for key, tensor in pack.state.items())
    return match


def network(match: Match, dtype: torch.dtype) -> Any:
    return build(network_class(match.architecture, match.role), match.config, match.state, dtype=dtype)


def in_their_names(match: Match, net: Any) -> dict[str, torch.Tensor]:
    ours = dict(net.named_parameters())
    return {key: ours[name] for key, name in match.reader.keys(match.config).items() if name in ours}


def floats(pack: Pack, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    return {name: t.to(dtype) if t.is_floating_point() else t for name, t in pack.inputs.items()}


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("path", packs("r3gan_g"), ids=lambda p: p.parent.name + p.stem)
def test_generator(path: Path, dtype: torch.dtype, tmp_path: Path) -> None:
    pack = read_pack(path)
    match = recognised(pack, "generator", tmp_path)
    G, inputs, got = network(match, dtype), floats(pack, dtype), {}
    for i in (0, 1):
        G.stages[i].register_forward_hook(lambda *hooked, i=i: got.update({f"x_stage{i}": hooked[2]}))
    got["image"] = G(inputs["z"], inputs.get("c"))
    got["loss"] = got["image"].square().mean()
    got |= gradient_norms(got["loss"], in_their_names(match, G), pack.outputs)
    pack.compare(got, dtype)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("path", packs("r3gan_d"), ids=lambda p: p.parent.name + p.stem)
def test_discriminator(path: Path, dtype: torch.dtype, tmp_path: Path) -> None:
    pack = read_pack(path)
    match = recognised(pack, "discriminator", tmp_path)
    D, inputs, features = network(match, dtype), floats(pack, dtype), []
    D.stages[1].register_forward_hook(lambda *hooked: features.append(hooked[2]))
    real, fake = inputs["real"].requires_grad_(), inputs["fake"].requires_grad_()
    got = {"logits_real": D(real, inputs.get("c")), "logits_fake": D(fake, inputs.get("c"))}
    for name, images, logits in (("r1", real, got["logits_real"]), ("r2", fake, got["logits_fake"])):
        (gradient,) = torch.autograd.grad(logits.sum(), [images], create_graph=True)
        got[name] = gradient.square().sum(dim=(1, 2, 3))
    got["adversarial"] = F.softplus(got["logits_fake"] - got["logits_real"])
    got["loss"] = (got["adversarial"] + pack.meta["config"]["gamma"] / 2 * (got["r1"] + got["r2"])).mean()
    got["x_stage1"] = features[0][:1]
    got |= gradient_norms(got["loss"], in_their_names(match, D), pack.outputs)
    pack.compare(got, dtype)

"""Mimicry's and StudioGAN's residual networks agree with the references' outputs, intermediates, losses and gradients."""

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn

from ganzoo.building import build, network_class
from ganzoo.checkpoint import Match, read_checkpoint, recognise
from ganzoo_sngan import ganzoo_architectures
from tests.support.packs import Pack, gradient_norms, packs, read_pack

ARCHITECTURES = [("sngan", architecture) for architecture in ganzoo_architectures()]
DTYPES = [torch.float32, torch.float64]
MIMICRY, STUDIO = packs("mimicry_"), [*packs("studiogan_sngan_"), *packs("studiogan_sagan_")]


def test_the_tree_has_all_packs() -> None:
    families = ("mimicry_sngan", "mimicry_sagan", "mimicry_dcgan", "studiogan_sngan", "studiogan_sagan")
    assert {p.stem for p in MIMICRY + STUDIO} >= {f"{family}_{role}" for family in families for role in "gd"}


def told(pack: Pack) -> dict[str, Any]:
    """What the pack's metadata says about arguments that its keys cannot tell."""
    config = pack.meta["config"]
    if "modules" not in config:
        return {"unit_range": "CIFAR" in config["class"]} if "dcgan" in config["class"] else {}
    given, modules = config["constructor"], config["modules"]
    if "d_cond_mtd" not in given:
        return {"activation": modules["g_act_fn"]}
    plain = {"W/O": "none"}
    arguments = {
        "activation": modules["d_act_fn"],
        "conditioning": plain.get(given["d_cond_mtd"], given["d_cond_mtd"]),
        "auxiliary": plain.get(given["aux_cls_type"], given["aux_cls_type"]),
        "normalize_embedding": given["normalize_d_embed"],
    }
    return arguments | ({"num_classes": given["num_classes"]} if given["d_cond_mtd"] != "W/O" else {})


def recognised(pack: Pack, tmp_path: Path) -> Match:
    """The pack's state, saved to a file and found again."""
    save_file(pack.state, tmp_path / "state.safetensors")
    (match,) = recognise(read_checkpoint(tmp_path / "state.safetensors"), ARCHITECTURES, config=told(pack))
    assert match.role == {"g": "generator", "d": "discriminator"}[pack.path.stem.rpartition("_")[2][0]]
    return match


def network(match: Match, dtype: torch.dtype) -> Any:
    return build(network_class(match.architecture, match.role), match.config, match.state, dtype=dtype)


def floats(pack: Pack, dtype: torch.dtype) -> dict[str, Tensor]:
    return {name: t.to(dtype) if t.is_floating_point() else t for name, t in pack.inputs.items()}


def their_parameters(match: Match, net: nn.Module) -> dict[str, Tensor]:
    ours = dict(net.named_parameters())
    return {theirs: ours[name] for theirs, name in match.reader.keys(match.config).items() if name in ours}


def hinge(real: Tensor, fake: Tensor) -> Tensor:
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def generator_results(pack: Pack, match: Match, dtype: torch.dtype, intermediate: str) -> dict[str, Tensor]:
    G, inputs, got = network(match, dtype), floats(pack, dtype), {}
    G.blocks[0].register_forward_hook(lambda *hooked: got.update({intermediate: hooked[2]}))
    image = G(inputs["z"], inputs.get("label"))
    got["image"] = (image + 1) / 2 if match.config.get("unit_range") else image
    got["loss"] = got["image"].square().mean()
    return got | gradient_norms(got["loss"], their_parameters(match, G), pack.outputs)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("path", [p for p in MIMICRY if "_g" in p.stem], ids=lambda p: p.parent.name + p.stem)
def test_mimicry_generators(path: Path, dtype: torch.dtype, tmp_path: Path) -> None:
    pack = read_pack(path)
    match = recognised(pack, tmp_path)
    pack.compare(generator_results(pack, match, dtype, "x_block2"), dtype)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize(
    "path", [p for p in MIMICRY if "_d" in p.stem.removeprefix("mimicry_dcgan")], ids=lambda p: p.parent.name + p.stem
)
def test_mimicry_discriminators(path: Path, dtype: torch.dtype, tmp_path: Path) -> None:
    pack = read_pack(path)
    match = recognised(pack, tmp_path)
    D, inputs, seen = network(match, dtype), floats(pack, dtype), []
    D.blocks[1].register_forward_hook(lambda *hooked: seen.append(hooked[2]))
    label = inputs.get("label")
    pictures = [inputs[name] * 2 - 1 if match.config.get("unit_range") else inputs[name] for name in ("real", "fake")]
    real, fake = (D(picture, label) for picture in pictures)
    loss = hinge(real, fake)
    got = {"logits_real": real[:, None], "logits_fake": fake[:, None], "x_block2": seen[0][:1], "loss": loss}
    pack.compare(got | gradient_norms(loss, their_parameters(match, D), pack.outputs), dtype)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("path", [p for p in STUDIO if "_g" in p.stem], ids=lambda p: p.parent.name + p.stem)
def test_studiogan_generators(path: Path, dtype: torch.dtype, tmp_path: Path) -> None:
    pack = read_pack(path)
    match = recognised(pack, tmp_path)
    pack.compare(generator_results(pack, match, dtype, "x_block0"), dtype)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("path", [p for p in STUDIO if "_d" in p.stem], ids=lambda p: p.parent.name + p.stem)
def test_studiogan_discriminators(path: Path, dtype: torch.dtype, tmp_path: Path) -> None:
    pack = read_pack(path)
    match = recognised(pack, tmp_path)
    D, inputs = network(match, dtype), floats(pack, dtype)
    real, fake = D.outputs(inputs["real"], inputs["label_real"]), D.outputs(inputs["fake"], inputs["label_fake"])
    loss = hinge(real.adversarial, fake.adversarial)
    if real.class_logits is not None:
        loss = loss + F.cross_entropy(real.class_logits, inputs["label_real"])
    if real.embedding is not None:
        loss = loss + (real.embedding * real.proxy).sum(1).mean()
    got = {"adv_real": real.adversarial, "adv_fake": fake.adversarial, "h_real": real.features, "loss": loss}
    extra = {"embed": real.embedding, "proxy": real.proxy, "cls_output": real.class_logits}
    for name in pack.outputs:
        short = next((key for key in extra if name in (key, f"{key}_real")), None)
        if short is not None:
            got[name] = extra[short]
    pack.compare(got | gradient_norms(loss, their_parameters(match, D), pack.outputs), dtype)
    if real.adversarial.dim() == 1:
        assert torch.equal(D(inputs["real"], inputs["label_real"]), real.adversarial)


@pytest.mark.parametrize("path", MIMICRY + STUDIO, ids=lambda p: p.parent.name + p.stem)
def test_export_gives_the_file_back(path: Path, tmp_path: Path) -> None:
    pack = read_pack(path)
    match = recognised(pack, tmp_path)
    back = match.reader.export(match.state, match.config)
    assert back.keys() == pack.state.keys()
    for key, tensor in pack.state.items():
        assert back[key].dtype == tensor.dtype
        assert torch.equal(back[key], tensor), key

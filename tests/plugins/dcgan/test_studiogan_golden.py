"""StudioGAN's DCGAN agrees with the reference's outputs, features, loss and gradients."""

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from ganzoo.building import build, network_class
from ganzoo.checkpoint import Match, read_checkpoint, recognise
from ganzoo_dcgan import ganzoo_architectures
from ganzoo_dcgan.layouts import StudioDiscriminator, StudioGenerator
from tests.support.packs import Pack, gradient_norms, packs, read_pack

ARCHITECTURES = [("dcgan", architecture) for architecture in ganzoo_architectures()]
DTYPES = [torch.float32, torch.float64]


def test_the_tree_has_both_packs() -> None:
    assert {p.name for p in packs("studiogan_dcgan_")} >= {"studiogan_dcgan_d.safetensors", "studiogan_dcgan_g.safetensors"}


def arguments(pack: Pack, role: str) -> dict[str, Any]:
    """What the pack's metadata says about arguments that its keys cannot tell."""
    given, modules = pack.meta["config"]["constructor"], pack.meta["config"]["modules"]
    if role == "generator":
        return {"activation": modules["g_act_fn"]}
    plain = {"W/O": "none"}
    told = {
        "activation": modules["d_act_fn"],
        "conditioning": plain.get(given["d_cond_mtd"], given["d_cond_mtd"]),
        "auxiliary": plain.get(given["aux_cls_type"], given["aux_cls_type"]),
        "normalize_embedding": given["normalize_d_embed"],
    }
    return told | ({"num_classes": given["num_classes"]} if given["d_cond_mtd"] != "W/O" else {})


def recognised(pack: Pack, role: str, tmp_path: Path) -> Match:
    """The pack's state, saved to a file and found again."""
    save_file(pack.state, tmp_path / "state.safetensors")
    (match,) = recognise(read_checkpoint(tmp_path / "state.safetensors"), ARCHITECTURES, config=arguments(pack, role))
    assert match.architecture.id == "studiogan-dcgan"
    assert match.role == role
    return match


def network(match: Match, dtype: torch.dtype) -> Any:
    cls = network_class(match.architecture, match.role)
    return build(cls, match.config, match.state, dtype=dtype)


def floats(pack: Pack, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    return {name: t.to(dtype) if t.is_floating_point() else t for name, t in pack.inputs.items()}


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("path", packs("studiogan_dcgan_g"), ids=lambda p: p.parent.name + p.stem)
def test_generator(path: Path, dtype: torch.dtype, tmp_path: Path) -> None:
    pack = read_pack(path)
    match = recognised(pack, "generator", tmp_path)
    G, inputs, got = network(match, dtype), floats(pack, dtype), {}
    G.blocks[0][0].register_forward_hook(lambda *hooked: got.update(x_block0=hooked[2]))
    got["image"] = G(inputs["z"], inputs["label"])
    got["loss"] = got["image"].square().mean()
    ours = dict(G.named_parameters())
    theirs = {key: ours[name] for key, name in StudioGenerator().keys(match.config).items() if name in ours}
    got |= gradient_norms(got["loss"], theirs, pack.outputs)
    pack.compare(got, dtype)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("path", packs("studiogan_dcgan_d"), ids=lambda p: p.parent.name + p.stem)
def test_discriminator(path: Path, dtype: torch.dtype, tmp_path: Path) -> None:
    pack = read_pack(path)
    match = recognised(pack, "discriminator", tmp_path)
    D, inputs = network(match, dtype), floats(pack, dtype)
    real, fake = D.outputs(inputs["real"], inputs["label_real"]), D.outputs(inputs["fake"], inputs["label_fake"])
    loss = F.relu(1 - real.adversarial).mean() + F.relu(1 + fake.adversarial).mean()
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
    ours = dict(D.named_parameters())
    theirs = {key: ours[name] for key, name in StudioDiscriminator().keys(match.config).items() if name in ours}
    got |= gradient_norms(loss, theirs, pack.outputs)
    pack.compare(got, dtype)
    if real.adversarial.dim() == 1:
        assert torch.equal(D(inputs["real"], inputs["label_real"]), real.adversarial)

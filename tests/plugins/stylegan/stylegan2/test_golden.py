"""StyleGAN2 agrees with the golden packs of its three references: outputs, intermediates, losses and gradient norms."""

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from ganzoo.building import build
from ganzoo.checkpoint import Match, read_checkpoint, recognise
from ganzoo.models import Network
from ganzoo.spec import Role
from ganzoo_stylegan.mapping import MappingNetwork
from ganzoo_stylegan.style import mixed
from ganzoo_stylegan.stylegan2.declaration import ARCHITECTURES
from ganzoo_stylegan.stylegan2.discriminator import StyleGAN2Discriminator
from ganzoo_stylegan.stylegan2.networks import StyleGAN2Generator
from tests.support.packs import Pack, gradient_norms, packs, read_pack

KNOWN = [("stylegan", architecture) for architecture in ARCHITECTURES]
DTYPES = [torch.float32, torch.float64]
NVIDIA = ("stylegan2_ada_{}", "stylegan3_sg2_{}")
CLAMP = {"stylegan2_ada": None, "stylegan3_sg2": 256.0}  # the defaults of the two programs


def found(pattern: str) -> list[Path]:
    return [path for path in packs(pattern) if "pkl" not in path.stem]


NVIDIA_G = found("stylegan2_ada_g") + found("stylegan3_sg2_g")
NVIDIA_D = found("stylegan2_ada_d") + found("stylegan3_sg2_d")
ROSINALITY_G, ROSINALITY_D = found("stylegan2_rosinality_g"), found("stylegan2_rosinality_d")


def name(path: Path) -> str:
    return path.parent.name + path.stem


def untold(pack: Pack) -> dict[str, Any]:
    """What a state dict does not tell of the pack's network: what its program has by default, or the pack's own choice."""
    given: dict[str, Any] = pack.meta["config"]["constructor"]
    synthesis = {**given, **given.get("synthesis_kwargs", {}), **given.get("block_kwargs", {})}
    said = {"conv_clamp": CLAMP.get(pack.path.stem[:13].rstrip("_"))}
    said |= {key: synthesis[key] for key in ("conv_clamp", "activation") if key in synthesis}
    mapping = given.get("mapping_kwargs", {})
    said |= {
        ours: mapping[key]
        for key, ours in (("lr_multiplier", "mapping_lr"), ("activation", "mapping_activation"))
        if key in mapping
    }
    end = given.get("epilogue_kwargs", {})
    said |= {key: end[key] for key in ("mbstd_group_size",) if key in end}
    if "activation" in said or "activation" in end:  # the blocks' does not reach the end
        said["end_activation"] = end.get("activation", "lrelu")
    return said


def recognised(pack: Pack, role: Role, tmp_path: Path) -> Match:
    """The pack's state as a checkpoint: recognised, its arguments told from it, exported again as it came."""
    save_file(pack.state, tmp_path / "state.safetensors")
    (match,) = recognise(read_checkpoint(tmp_path / "state.safetensors"), KNOWN, config=untold(pack))
    assert match.role == role
    back = match.reader.export(match.state, match.config)
    assert back.keys() == pack.state.keys()
    assert all(torch.equal(back[key], tensor) for key, tensor in pack.state.items())
    return match


def network(match: Match, dtype: torch.dtype) -> Any:
    cls: type[Network] = StyleGAN2Generator if match.role == "generator" else StyleGAN2Discriminator
    return build(cls, match.config, match.state, dtype=dtype)


def floats(pack: Pack, dtype: torch.dtype) -> dict[str, Tensor]:
    return {key: tensor.to(dtype) for key, tensor in pack.inputs.items()}


def in_their_names(match: Match, network: Any) -> dict[str, Tensor]:
    parameters = dict(network.named_parameters())
    return {theirs: parameters[ours] for theirs, ours in match.reader.keys(match.config).items() if ours in parameters}


def given_noise(inputs: dict[str, Tensor]) -> Any:
    """The pack's noise of every layer, in the order in which layers ask for it."""
    layers = sorted((key for key in inputs if key.startswith("noise/")), key=lambda key: (int(key[7:].split(".")[0]), key))
    drawn = iter([inputs[key] for key in layers])
    return lambda count, stored: next(drawn)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("path", NVIDIA_G, ids=name)
def test_generator(path: Path, dtype: torch.dtype, tmp_path: Path) -> None:
    pack = read_pack(path)
    match = recognised(pack, "generator", tmp_path)
    G, inputs, call = network(match, dtype), floats(pack, dtype), pack.meta["config"]["call"]
    psi = {"truncation": call["truncation_psi"], "truncation_cutoff": call["truncation_cutoff"]}
    z, c, hooked = inputs["z"], inputs.get("c"), []
    handle = G.synthesis.b8.register_forward_hook(lambda *passed: hooked.append(passed[2]))
    features = G.synthesis.b8.features
    G.synthesis.b8.features = lambda *given: hooked.append(features(*given)) or hooked[-1]
    got = {"ws": G.map(z, c, **psi), "ws_psi1": G.map(z, c)[:, 0], "img": G(z, c, **psi, noise_mode="const")}
    got["x_b8"] = hooked[0]
    handle.remove()
    got["img_none"] = G(z, c, noise_mode="none")
    got["img_random"] = G.synthesis(G.map(z, c, **psi), given_noise(inputs))
    if dtype == torch.float64:  # these two are stored in single precision only
        for key in ("img_none", "img_random"):
            pack.outputs.setdefault(f"{key}.f64", got[key].detach())
    ws, image = G.path(z, c)
    (gradient,) = torch.autograd.grad((image * inputs["pl_noise"]).sum(), ws, create_graph=True)
    got["pl_lengths"] = gradient.square().sum(2).mean(1).sqrt()
    got["loss"] = got["pl_lengths"].square().mean()
    got |= gradient_norms(got["loss"], in_their_names(match, G), pack.outputs)
    pack.compare(got, dtype)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("path", NVIDIA_D, ids=name)
def test_discriminator(path: Path, dtype: torch.dtype, tmp_path: Path) -> None:
    pack = read_pack(path)
    match = recognised(pack, "discriminator", tmp_path)
    D, inputs, entering = network(match, dtype), floats(pack, dtype), []
    for part in (D.b4, D.b4.conv):
        part.register_forward_pre_hook(lambda module, passed: entering.append(passed[0]))
    images, c = inputs["img"].requires_grad_(), inputs.get("c")
    logits = D(images, c)
    got = {"logits": logits[:, None], "x_b8": entering[0]}
    if D.b4.statistics:
        got["mbstd_channels"] = entering[1][:, -D.b4.statistics :, 0, 0]
    if isinstance(D.mapping, MappingNetwork):
        assert c is not None
        got["cmap"] = D.mapping(None, c)
    got |= penalised(logits, images, pack)
    got |= gradient_norms(got["loss"], in_their_names(match, D), pack.outputs)
    pack.compare(got, dtype)


def penalised(logits: Tensor, images: Tensor, pack: Pack) -> dict[str, Tensor]:
    """R1 of each image, and the loss with it."""
    (gradient,) = torch.autograd.grad(logits.sum(), [images], create_graph=True)
    r1 = gradient.square().sum(dim=(1, 2, 3))
    return {"r1_penalty": r1, "loss": F.softplus(-logits).mean() + pack.meta["config"]["r1_gamma"] / 2 * r1.mean()}


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("path", ROSINALITY_G, ids=name)
def test_rosinality_generator(path: Path, dtype: torch.dtype, tmp_path: Path) -> None:
    pack = read_pack(path)
    match = recognised(pack, "generator", tmp_path)
    G, inputs, config = network(match, dtype), floats(pack, dtype), pack.meta["config"]
    G.w_avg.copy_(inputs["truncation_latent"][0])  # an argument of theirs
    z, truncation, inject = inputs["z"], config["truncation"], config["inject_index"]
    got = {"w": G.map(z)[:, 0], "latent": G.map(z, truncation=truncation), "image": G(z, truncation=truncation)}
    got["latent_mix"] = mixed(got["latent"], G.map(inputs["z2"], truncation=truncation), inject)
    got["image_mix"] = G(z, truncation=truncation, mix_z=inputs["z2"], mix_layers=range(inject, G.num_ws))
    got["image_w"] = G.synthesise(got["w"][:, None].expand(-1, G.num_ws, -1), noise_mode="const")
    got["loss"] = G(z).square().mean()
    got |= gradient_norms(got["loss"], in_their_names(match, G), pack.outputs)
    pack.compare(got, dtype)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("path", ROSINALITY_D, ids=name)
def test_rosinality_discriminator(path: Path, dtype: torch.dtype, tmp_path: Path) -> None:
    pack = read_pack(path)
    match = recognised(pack, "discriminator", tmp_path)
    D, inputs, entering = network(match, dtype), floats(pack, dtype), []
    D.b4.register_forward_pre_hook(lambda module, passed: entering.append(passed[0]))
    images = inputs["image"].requires_grad_()
    logits = D(images)
    got = {"logits": logits[:, None], "features": entering[0], **penalised(logits, images, pack)}
    got |= gradient_norms(got["loss"], in_their_names(match, D), pack.outputs)
    pack.compare(got, dtype)

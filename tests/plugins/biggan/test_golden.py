"""BigGAN and BigGAN-deep agree with the references' outputs, intermediates, losses and gradients."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn

from ganzoo.building import build, network_class
from ganzoo.checkpoint import Match, read_checkpoint, recognise
from ganzoo_biggan import ganzoo_architectures
from tests.support.packs import Pack, gradient_norms, packs, read_pack

ARCHITECTURES = [("biggan", architecture) for architecture in ganzoo_architectures()]
DTYPES = [torch.float32, torch.float64]
ALL = packs("biggan_")
TABULATED = [path for path in ALL if "hf" in path.stem]
DISCRIMINATORS = [path for path in ALL if "d" in path.stem.split("_")]
GENERATORS = [path for path in ALL if path not in TABULATED + DISCRIMINATORS]


def test_the_tree_has_packs_of_both_roles() -> None:
    assert {path.stem for path in GENERATORS} >= {"biggan_unshared_g"}
    assert {path.stem for path in DISCRIMINATORS} >= {"biggan_d", "biggan_deep_d"}


def told(pack: Pack) -> dict[str, Any]:
    """What the pack's metadata says about arguments that its keys cannot tell."""
    given = pack.meta["config"]["constructor"]
    if "output_dim" in given and "layers" in given:
        return {"norm_eps": given["eps"], "spectral_eps": given["eps"], "layers": given["layers"]}
    names = {"BN_eps": "norm_eps", "SN_eps": "spectral_eps"}
    return {ours: given[theirs] for theirs, ours in names.items() if theirs in given}


_recognised: dict[Path, Match] = {}


def recognised(pack: Pack, tmp_path: Path) -> Match:
    """The pack's state, saved to a file and found again; once for each pack."""
    if pack.path not in _recognised:
        save_file(pack.state, tmp_path / "state.safetensors")
        (match,) = recognise(read_checkpoint(tmp_path / "state.safetensors"), ARCHITECTURES, config=told(pack))
        assert match.state  # converted while the file is there
        _recognised[pack.path] = match
    return _recognised[pack.path]


def network(match: Match, dtype: torch.dtype) -> Any:
    return build(network_class(match.architecture, match.role), match.config, match.state, dtype=dtype)


def floats(pack: Pack, dtype: torch.dtype) -> dict[str, Tensor]:
    return {name: t.to(dtype) if t.is_floating_point() else t for name, t in pack.inputs.items()}


def their_parameters(match: Match, net: nn.Module) -> dict[str, Tensor]:
    ours = dict(net.named_parameters())
    return {theirs: ours[name] for theirs, name in match.reader.keys(match.config).items() if name in ours}


def same_without_gradients(pack: Pack, got: dict[str, Tensor], again: dict[str, Tensor], dtype: torch.dtype) -> None:
    """What is kept from pass to pass where nobody wants gradients gives the same."""
    for name, tensor in again.items():
        allowed = pack.tolerance(name, dtype) * float(got[name].abs().max())
        assert float((tensor - got[name]).abs().max()) <= allowed, name


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("path", GENERATORS, ids=lambda p: p.parent.name + p.stem)
def test_generators(path: Path, dtype: torch.dtype, tmp_path: Path) -> None:
    pack = read_pack(path)
    match = recognised(pack, tmp_path)
    assert match.role == "generator"
    G, inputs, got = network(match, dtype), floats(pack, dtype), {}
    seen: list[Tensor] = []
    G.blocks[1].register_forward_hook(lambda *hooked: seen.append(hooked[2].clone()))
    z, label = inputs["z"], inputs["label"]
    got["image"] = G(z, label)
    got["x_block1"] = seen[0]
    got["loss"] = got["image"].square().mean()
    got |= gradient_norms(got["loss"], their_parameters(match, G), pack.outputs)
    if "y" in pack.outputs:
        y = G.embed(label, z)
        got |= {"y": y, "image_interp": G.from_embedding(z, 0.7 * y + 0.3 * y.flip(0))}
        mixed = F.one_hot(label, G.num_classes).to(dtype)
        assert torch.allclose(G(z, 0.7 * mixed + 0.3 * mixed.flip(0)), got["image_interp"], atol=1e-5)
    if "image_standing" in pack.outputs:
        standing = build(type(G), {**match.config, "statistics": "standing"}, match.state, dtype=dtype)
        got["image_standing"] = standing(z, label)
    pack.compare(got, dtype)
    for mode in (torch.no_grad(), torch.inference_mode()):
        with mode:
            same_without_gradients(pack, got, {"image": G(z, label), "x_block1": seen[-1]}, dtype)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("path", DISCRIMINATORS, ids=lambda p: p.parent.name + p.stem)
def test_discriminators(path: Path, dtype: torch.dtype, tmp_path: Path) -> None:
    pack = read_pack(path)
    match = recognised(pack, tmp_path)
    assert match.role == "discriminator"
    D, inputs, seen = network(match, dtype), floats(pack, dtype), []
    D.blocks[0].register_forward_hook(lambda *hooked: seen.append(hooked[2].clone()))
    real, fake = (D(inputs[name], inputs[f"label_{name}"]) for name in ("real", "fake"))
    parts = {"loss_real": F.relu(1 - real).mean(), "loss_fake": F.relu(1 + fake).mean()}
    loss = parts["loss_real"] + parts["loss_fake"]
    got = {"logits_real": real[:, None], "logits_fake": fake[:, None], "x_block0": seen[0][:1], "loss": loss, **parts}
    pack.compare(got | gradient_norms(loss, their_parameters(match, D), pack.outputs), dtype)
    with torch.inference_mode():
        again = {"logits_real": D(inputs["real"], inputs["label_real"])[:, None], "x_block0": seen[-1][:1]}
        same_without_gradients(pack, got, again, dtype)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("path", TABULATED, ids=lambda p: p.parent.name + p.stem)
def test_generators_with_tabulated_statistics(path: Path, dtype: torch.dtype, tmp_path: Path) -> None:
    pack = read_pack(path)
    match = recognised(pack, tmp_path)
    G, inputs, got = network(match, dtype), floats(pack, dtype), {}
    truncations = pack.meta["config"]["truncations"]
    seen: list[Tensor] = []
    G.blocks[0].register_forward_hook(lambda *hooked: seen.append(hooked[2].clone()))
    z, mixture = inputs["z"], inputs["class_label"]
    got["image"] = G(z, mixture, truncations[1])
    got["x_layer0"] = seen[0]
    got["cond_vector"] = torch.cat([z, G.embed(mixture, z)], dim=1)
    got["loss"] = got["image"].square().mean()
    got |= gradient_norms(got["loss"], their_parameters(match, G), pack.outputs)
    for name in pack.outputs:
        if name.startswith("image_t") and not name.endswith(".f64"):
            got[name] = G(z, mixture, float(name.removeprefix("image_t")))
    if dtype == torch.float64:  # not all of them are stored so
        got = {name: tensor for name, tensor in got.items() if f"{name}.f64" in pack.outputs}
        pack = replace(pack, outputs={name: t for name, t in pack.outputs.items() if name.removesuffix(".f64") in got})
    pack.compare(got, dtype)
    with torch.inference_mode():
        same_without_gradients(pack, got, {"image": G(z, mixture, truncations[1])}, dtype)


@pytest.mark.parametrize("path", ALL, ids=lambda p: p.parent.name + p.stem)
def test_export_gives_the_file_back(path: Path, tmp_path: Path) -> None:
    pack = read_pack(path)
    match = recognised(pack, tmp_path)
    back = match.reader.export(match.state, match.config)
    assert back.keys() == pack.state.keys()
    for key, tensor in pack.state.items():
        assert (back[key].dtype, back[key].shape) == (tensor.dtype, tensor.shape)
        assert torch.equal(back[key], tensor), key

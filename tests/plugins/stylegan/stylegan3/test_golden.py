"""StyleGAN3 agrees with the reference: packs of states and results, and pickles as NVIDIA's program writes them."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from ganzoo.building import build, network_class
from ganzoo.checkpoint import Match, read_checkpoint, recognise
from ganzoo_stylegan import ganzoo_architectures
from ganzoo_stylegan.stylegan3.geometry import Rules
from tests.support.packs import GOLDEN, Pack, gradient_norms, packs, read_pack

ARCHITECTURES = [("stylegan", architecture) for architecture in ganzoo_architectures()]
DTYPES = [torch.float32, torch.float64]
STATES = [path for path in packs("stylegan3_") if re.match(r"stylegan3_[tr]_g", path.stem)]
PICKLES = [path for path in packs("stylegan3_") if re.match(r"stylegan3_[tr]_pkl", path.stem)]
NAMES = {  # what the reference calls the arguments of our generator
    "z_dim": "z_dim",
    "w_dim": "w_dim",
    "c_dim": "num_classes",
    "img_resolution": "image_size",
    "img_channels": "channels",
    "channel_base": "channel_base",
    "channel_max": "channel_max",
    "num_layers": "layers",
    "num_critical": "critical_layers",
    "first_cutoff": "first_cutoff",
    "first_stopband": "first_stopband",
    "last_stopband_rel": "last_stopband",
    "margin_size": "margin",
    "conv_kernel": "kernel_size",
    "use_radial_filters": "radial",
    "filter_size": "filter_size",
    "lrelu_upsampling": "oversampling",
    "output_scale": "output_scale",
    "conv_clamp": "conv_clamp",
    "magnitude_ema_beta": "magnitude_beta",
    "num_fp16_res": "num_fp16_res",
}
_MAPPING = (("lr_multiplier", "mapping_lr"), ("w_avg_beta", "w_avg_beta"))
UNSEEN = ("output_scale", "conv_clamp", "magnitude_beta", "num_fp16_res")  # no shape tells them
# Several of these explain the same shapes, so that one that is not usual has to be given together with the others.
USUAL = ("first_cutoff", "first_stopband", "last_stopband", "filter_size", "oversampling", "critical_layers", "margin")
TOGETHER = (*USUAL, "channel_base", "channel_max")


def test_the_tree_has_pickles_of_both_kinds() -> None:
    assert {path.stem for path in PICKLES} >= {"stylegan3_t_pkl", "stylegan3_r_pkl"}


def told(constructor: dict[str, Any]) -> dict[str, Any]:
    return {NAMES[name]: value for name, value in constructor.items() if name in NAMES}


def recognised(pack: Pack, tmp_path: Path) -> Match:
    save_file({name: tensor.contiguous() for name, tensor in pack.state.items()}, tmp_path / "state.safetensors")
    given = told(pack.meta["config"]["constructor"])
    unseen = {name: value for name, value in given.items() if name in UNSEEN}
    if any(name in given for name in USUAL):
        unseen |= {name: given.get(name, Rules.__dataclass_fields__[name].default) for name in TOGETHER}
    mapping = pack.meta["config"]["constructor"].get("mapping_kwargs", {})
    unseen |= {ours: mapping[theirs] for theirs, ours in _MAPPING if theirs in mapping}
    (match,) = recognise(read_checkpoint(tmp_path / "state.safetensors"), ARCHITECTURES, config=unseen)
    assert (match.architecture.id, match.role, match.layout) == ("stylegan3", "generator", "nvidia-pytorch")
    for name in ("z_dim", "w_dim", "num_classes", "image_size", "channels", "layers", "kernel_size", "radial"):
        assert match.config[name] == given.get(name, match.config[name]), name
    return match


def floats(pack: Pack, dtype: torch.dtype) -> tuple[Tensor, Tensor | None]:
    c = pack.inputs.get("c")
    return pack.inputs["z"].to(dtype), c.to(dtype) if c is not None and c.numel() else None


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("path", STATES, ids=lambda p: p.parent.name + p.stem)
def test_generators(path: Path, dtype: torch.dtype, tmp_path: Path) -> None:
    pack = read_pack(path)
    match = recognised(pack, tmp_path)
    G: Any = build(network_class(match.architecture, "generator"), match.config, match.state, dtype=dtype)
    (z, c), got = floats(pack, dtype), {}
    call = {"truncation": pack.meta["config"]["call"]["truncation_psi"]}
    call |= {"truncation_cutoff": pack.meta["config"]["call"].get("truncation_cutoff")}
    got |= {"ws": G.map(z, c, **call), "ws_psi1": G.map(z, c)[:, 0]}
    middle = G.synthesis.layers[len(G.synthesis.layers) // 2]
    parts = {"x_input": G.synthesis.input, "x_mid": middle}
    hooks = [m.register_forward_hook(lambda *h, name=name: got.update({name: h[2][:1]})) for name, m in parts.items()]
    got["img"] = G(z, c, **call)
    for hook in hooks:
        hook.remove()
    got["img_psi1"] = G(z, c)
    got["loss"] = got["img_psi1"].square().mean()
    got |= gradient_norms(got["loss"], dict(G.named_parameters()), pack.outputs)
    got["img_update_emas"] = G.train()(z, c)
    updated = {f"updated/{name}": buffer for name, buffer in G.named_buffers()}
    got |= {name: updated[name] for name in pack.outputs if name in updated}
    if dtype == torch.float64:  # not all of them are stored so
        stored = {name.removesuffix(".f64") for name in pack.outputs if name.endswith(".f64")}
        got = {name: tensor for name, tensor in got.items() if name in stored}
        pack = replace(pack, outputs={name: t for name, t in pack.outputs.items() if name.removesuffix(".f64") in stored})
    pack.compare(got, dtype)


@pytest.mark.parametrize("path", STATES, ids=lambda p: p.parent.name + p.stem)
def test_designed_anew_filters_are_those_of_the_reference(path: Path, tmp_path: Path) -> None:
    pack = read_pack(path)
    match = recognised(pack, tmp_path)
    designed: Any = network_class(match.architecture, "generator")(**match.config)
    filters = {name: buffer for name, buffer in designed.named_buffers() if name.endswith("_filter")}
    assert filters.keys() == {name for name in pack.state if name.endswith("_filter")}
    for name, taps in filters.items():
        assert float((taps - pack.state[name]).abs().max()) <= 1e-7 * float(pack.state[name].max()), name


@pytest.mark.parametrize("path", PICKLES, ids=lambda p: p.parent.name + p.stem)
def test_pickles(path: Path) -> None:
    pack = read_pack_of_three(path)
    checkpoint = read_checkpoint(path.parent / pack.meta["file"])
    matches = {match.place: match for match in recognise(checkpoint, ARCHITECTURES, architecture="stylegan3")}
    assert {"G", "G_ema"} <= matches.keys()
    assert [matches[place].is_average for place in ("G", "G_ema")] == [False, True]
    (z, c), call = floats(pack, torch.float32), pack.meta["config"]["call"]
    for place in ("G", "G_ema"):
        match = matches[place]
        given = told(pack.meta["config"]["G"])
        assert {name: match.config[name] for name in given} == given
        wanted = {key.removeprefix(f"{place}."): tensor for key, tensor in pack.state.items() if key.startswith(f"{place}.")}
        exported = match.reader.export(match.state, match.config)
        assert exported.keys() == wanted.keys()
        assert all(torch.equal(exported[key], tensor) for key, tensor in wanted.items())
        G: Any = build(network_class(match.architecture, "generator"), match.config, match.state)
        with torch.no_grad():
            close(pack, f"ws_{place}", G.map(z, c))
            image = G(z, c, truncation=call["truncation_psi"], truncation_cutoff=call.get("truncation_cutoff"))
            close(pack, f"img_{place}", image)


@pytest.mark.parametrize("path", PICKLES, ids=lambda p: p.parent.name + p.stem)
def test_their_discriminators_are_those_of_stylegan2(path: Path) -> None:
    pack = read_pack_of_three(path)
    checkpoint = read_checkpoint(path.parent / pack.meta["file"])
    (match,) = recognise(checkpoint, ARCHITECTURES, architecture="stylegan2")
    assert (match.place, match.role) == ("D", "discriminator")
    (_, c), D = floats(pack, torch.float32), build(network_class(match.architecture, match.role), match.config, match.state)
    with torch.no_grad():
        close(pack, "logits", D(pack.inputs["img"], c)[:, None])


def read_pack_of_three(path: Path) -> Pack:
    """These name no order of states."""
    with safe_open(path, "pt") as file:
        meta = json.loads(file.metadata()["pack"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    parts = [{k.removeprefix(p): t for k, t in tensors.items() if k.startswith(p)} for p in ("state/", "in/", "out/")]
    return Pack(path, meta, *parts)


def close(pack: Pack, name: str, got: Tensor) -> None:
    want = pack.outputs[name]
    allowed = pack.meta["tolerance"]["float32"]["atol_over_max_abs"] * float(want.abs().max())
    assert got.shape == want.shape
    assert float((got - want).abs().max()) <= allowed, name


def test_golden_files_are_where_they_belong() -> None:
    assert (GOLDEN / "stylegan3_t.pkl").is_file()
    assert (GOLDEN / "stylegan3_r.pkl").is_file()

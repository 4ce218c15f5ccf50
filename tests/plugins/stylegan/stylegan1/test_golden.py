"""StyleGAN agrees with the reference's outputs, intermediates, loss, penalty and gradients, in float32 and float64."""

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from ganzoo.building import build, network_class
from ganzoo.checkpoint import Match, read_checkpoint, recognise
from ganzoo_stylegan.stylegan1.declaration import ARCHITECTURES
from tests.support.packs import Pack, gradient_norms, packs, read_pack

KNOWN = [("stylegan", architecture) for architecture in ARCHITECTURES]
DTYPES = [torch.float32, torch.float64]
# What the reference calls the arguments that both have, where shapes tell them.
NAMES = {
    "resolution": "image_size",
    "image_channels": "channels",
    "z_space_dim": "z_dim",
    "w_space_dim": "w_dim",
    "label_size": "num_classes",
    "mapping_layers": "mapping_layers",
    "mapping_fmaps": "mapping_width",
    "const_input": "const_input",
    "noise_type": "noise",
    "minibatch_std_channels": "std_channels",
}
UNTOLD = {  # and where they do not
    "mapping_lr_mul": "mapping_lr",
    "use_wscale": "equalised",
    "final_tanh": "final_tanh",
    "minibatch_std_group_size": "std_group",
    "fused_scale": "fused_up",
}


def test_the_tree_has_both_packs() -> None:
    assert {path.name for path in packs("stylegan1_")} >= {"stylegan1_d.safetensors", "stylegan1_g.safetensors"}


def recognised(pack: Pack, role: str, tmp_path: Path) -> Match:
    """The pack's state, saved to a file and found again: every argument is the one that the pack was made with."""
    save_file(pack.state, tmp_path / "state.safetensors")
    given = pack.meta["config"]["constructor"]
    names = {ours: given[name] for name, ours in UNTOLD.items() if given.get(name, "auto") != "auto"}
    if role == "discriminator":  # which layers are fused changes nothing there
        names.pop("fused_up", None)
    (match,) = recognise(read_checkpoint(tmp_path / "state.safetensors"), KNOWN, config=names)
    assert (match.architecture.id, match.role, match.layout) == ("stylegan", role, "stylegan-genforce")
    for theirs, ours in NAMES.items():
        if theirs in given:
            assert match.config[ours] == given[theirs], theirs
    base, most = given["fmaps_base"], given["fmaps_max"]
    assert match.config["widths"] == [min(base // (4 << i), most) for i in range(len(match.config["widths"]))]
    back = match.reader.export(match.state, match.config)
    assert back.keys() == pack.state.keys()
    assert all(torch.equal(back[key], tensor) for key, tensor in pack.state.items())
    return match


def network(match: Match, dtype: torch.dtype) -> Any:
    return build(network_class(match.architecture, match.role), match.config, match.state, dtype=dtype)


def in_their_names(match: Match, net: Any) -> dict[str, Tensor]:
    ours = dict(net.named_parameters())
    return {key: ours[name] for key, name in match.reader.keys(match.config).items() if name in ours}


def floats(pack: Pack, dtype: torch.dtype) -> dict[str, Tensor]:
    return {name: t.to(dtype) if t.is_floating_point() else t for name, t in pack.inputs.items()}


def labels(inputs: dict[str, Tensor]) -> Tensor | None:
    return next((inputs[name] for name in ("label", "labels", "c") if name in inputs), None)


def compare(pack: Pack, got: dict[str, Tensor], dtype: torch.dtype) -> None:
    """As `Pack.compare`; some outputs of these packs are stored in float32 only, for them its tolerance holds."""
    suffix = ".f64" if dtype == torch.float64 else ""
    assert set(got) == {name for name in pack.outputs if not name.endswith(".f64")}
    for name, value in got.items():
        exact = name + suffix in pack.outputs
        want = pack.outputs[name + suffix if exact else name].double()
        error = float((value.detach().double().reshape(want.shape) - want).abs().max())
        allowed = pack.tolerance(name, dtype if exact else torch.float32) * float(want.abs().max())
        assert error <= allowed, f"{pack.path.name} {name} {dtype}: {error} > {allowed}"


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("path", packs("stylegan1_g"), ids=lambda p: p.parent.name + p.stem)
def test_generator(path: Path, dtype: torch.dtype, tmp_path: Path) -> None:
    pack = read_pack(path)
    match = recognised(pack, "generator", tmp_path)
    G, inputs, styles = network(match, dtype), floats(pack, dtype), {}
    z, c, call = inputs["z"], labels(inputs), pack.meta["config"]["call"]
    psi = call.get("trunc_psi")
    psi, cutoff = 1.0 if psi is None else psi, call.get("trunc_layers") or 0
    for i, layer in enumerate(G.synthesis.layers):
        layer.styled.style.register_forward_hook(lambda *hooked, i=i: styles.update({f"style{i:02d}": hooked[2]}))
    wp = G.map(z, c, truncation=psi, truncation_cutoff=cutoff)
    got = {"w": G.map(z, c)[:, 0], "wp": wp, "image": G(z, c, truncation=psi, truncation_cutoff=cutoff)}
    got |= styles  # as they are now: other images follow
    for name in pack.outputs:
        if name.startswith("image_lod") and not name.endswith(".f64"):
            got[name] = G.synthesise(G.map(z, c), lod=float(name.removeprefix("image_lod")))
    got["loss"] = G.synthesise(G.map(z, c), lod=0).square().mean()
    got |= gradient_norms(got["loss"], in_their_names(match, G), pack.outputs)
    compare(pack, {name: value for name, value in got.items() if name in pack.outputs}, dtype)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("path", packs("stylegan1_d"), ids=lambda p: p.parent.name + p.stem)
def test_discriminator(path: Path, dtype: torch.dtype, tmp_path: Path) -> None:
    pack = read_pack(path)
    match = recognised(pack, "discriminator", tmp_path)
    D, inputs = network(match, dtype), floats(pack, dtype)
    image, c = inputs["image"].requires_grad_(), labels(inputs)
    got = {"logits": D(image, c)}
    for name in pack.outputs:
        if name.startswith("logits_lod") and not name.endswith(".f64"):
            got[name] = D(image, c, lod=float(name.removeprefix("logits_lod")))
    scores = D(image, c, lod=0)
    (gradient,) = torch.autograd.grad(scores.sum(), [image], create_graph=True)
    got["r1_penalty"] = gradient.square().sum((1, 2, 3))
    got["loss"] = F.softplus(-scores).mean() + pack.meta["config"]["r1_gamma"] / 2 * got["r1_penalty"].mean()
    got |= gradient_norms(got["loss"], in_their_names(match, D), pack.outputs)
    compare(pack, got, dtype)

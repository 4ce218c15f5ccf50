"""Checkpoints of TextGAN-PyTorch: recognised by their shapes, equal in outputs, loss and gradients, and written back."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from ganzoo.building import build, network_class
from ganzoo.checkpoint import Match, read_checkpoint, recognise
from ganzoo.text.fused import linear_cross_entropy
from ganzoo_seqgan import ganzoo_architectures
from tests.support.packs import Pack, gradient_norms, packs, read_pack

ARCHITECTURES = [("seqgan", architecture) for architecture in ganzoo_architectures()]
DTYPES = [torch.float32, torch.float64]
GENERATORS = packs("textgan_seqgan_g")
DISCRIMINATORS = [path for name in ("textgan_seqgan_d", "textgan_cnn_d", "textgan_classifier") for path in packs(name)]
# What the reference calls the arguments that keys and shapes tell.
NAMES = {
    "embedding_dim": "embedding_size",
    "embed_dim": "embedding_size",
    "hidden_dim": "hidden_size",
    "padding_idx": "pad_token",
}
NAMES |= {"vocab_size": "vocab_size", "filter_sizes": "filter_sizes", "num_filters": "filter_counts"}


def test_the_tree_has_all_packs() -> None:
    assert {path.stem for path in GENERATORS + DISCRIMINATORS} >= {
        "textgan_seqgan_g",
        "textgan_seqgan_d",
        "textgan_cnn_d",
        "textgan_classifier",
    }


def recognised(pack: Pack, role: str, tmp_path: Path) -> Match:
    """The pack's state, saved as the reference saves it and found again with the arguments that it was made with."""
    torch.save(pack.state, tmp_path / "state.pt")
    (match,) = recognise(read_checkpoint(tmp_path / "state.pt"), ARCHITECTURES)
    assert (match.architecture.id, match.role, match.layout) == ("seqgan", role, "textgan-pytorch")
    for theirs, value in pack.meta["config"]["constructor"].items():
        if theirs in NAMES:
            assert match.config[NAMES[theirs]] == value, theirs
    return match


def network(match: Match, dtype: torch.dtype) -> Any:
    return build(network_class(match.architecture, match.role), match.config, match.state, dtype=dtype)


def in_their_names(match: Match, net: Any) -> dict[str, Tensor]:
    ours = dict(net.named_parameters())
    return {key: ours[name] for key, name in match.reader.keys(match.config).items() if name in ours}


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("path", GENERATORS, ids=lambda p: p.parent.name + p.stem)
def test_generator(path: Path, dtype: torch.dtype, tmp_path: Path) -> None:
    pack = read_pack(path)
    match = recognised(pack, "generator", tmp_path)
    assert match.config["start_token"] == pack.meta["config"]["globals"]["start_letter"]
    G, inp, target = network(match, dtype), pack.inputs["inp"], pack.inputs["target"]
    state, each = G.begin(len(inp)), []
    for tokens in inp.unbind(1):
        hidden, state = G.step(tokens, state)
        each.append(G.head(hidden).log_softmax(1))
    got = {"log_probs": torch.stack(each, 1).flatten(0, 1), "log_probs_first_step": each[0]}
    got |= {name: part[None] for name, part in zip("hc", state, strict=True)}
    # The reference feeds `inp` whatever the target is.
    got["nll_per_sequence"] = -torch.stack(each, 1).gather(2, target[:, :, None])[:, :, 0].sum(1)
    states = G.lstm(G.embedding(inp))[0].flatten(0, 1)
    weights = pack.inputs["reward"].to(dtype).flatten()
    got["loss"] = linear_cross_entropy(states, G.head.weight, G.head.bias, target.flatten(), weights)
    pack.compare(got | gradient_norms(got["loss"], in_their_names(match, G), pack.outputs), dtype)


@pytest.mark.parametrize("path", GENERATORS, ids=lambda p: p.parent.name + p.stem)
def test_what_it_feeds_itself_begins_with_their_start_letter(path: Path, tmp_path: Path) -> None:
    pack = read_pack(path)
    G = network(recognised(pack, "generator", tmp_path), torch.float64)
    target = pack.inputs["target"]
    assert torch.equal(G.shifted(target), torch.cat([torch.ones(len(target), 1, dtype=torch.int64), target[:, :-1]], 1))
    state, inputs, want = G.begin(len(target)), torch.ones(len(target), dtype=torch.int64), []
    for tokens in target.unbind(1):
        hidden, state = G.step(inputs, state)
        want.append(G.head(hidden).log_softmax(1).gather(1, tokens[:, None])[:, 0])
        inputs = tokens
    assert torch.allclose(G.log_prob(target), torch.stack(want, 1), atol=1e-12)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("path", DISCRIMINATORS, ids=lambda p: p.parent.name + p.stem)
def test_discriminators(path: Path, dtype: torch.dtype, tmp_path: Path) -> None:
    pack = read_pack(path)
    match = recognised(pack, "discriminator", tmp_path)
    D, suffix = network(match, dtype), ".f64" if dtype == torch.float64 else ""
    with torch.no_grad():
        logits = D.class_logits(D.features(pack.inputs["tokens"]))
    want = pack.outputs["logits" + suffix]
    assert float((logits - want).abs().max()) <= pack.tolerance("logits", dtype) * float(want.abs().max())


@pytest.mark.parametrize("path", GENERATORS + DISCRIMINATORS, ids=lambda p: p.parent.name + p.stem)
def test_export_gives_the_file_back(path: Path, tmp_path: Path) -> None:
    pack = read_pack(path)
    match = recognised(pack, "generator" if path in GENERATORS else "discriminator", tmp_path)
    built = network(match, torch.float32)
    back = match.reader.export(built.state_dict(), match.config)
    assert back.keys() == pack.state.keys()
    for key, tensor in pack.state.items():
        assert torch.equal(back[key], tensor), key
        assert back[key].shape == tensor.shape
    save_file(back, tmp_path / "back.safetensors")  # contiguous, as every writer needs them

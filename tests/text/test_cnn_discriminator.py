"""The convolutional judge: golden packs of TextGAN-PyTorch, closed forms, soft and hard batches, bad input."""

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ganzoo.building import build, build_random, construct
from ganzoo.errors import ConfigError, InvalidValueError
from ganzoo.text.discriminators import CNNDiscriminator, Highway
from tests.support.packs import Pack, packs, read_pack

PATHS = [path for pattern in ("textgan_seqgan_d", "textgan_cnn_d", "textgan_classifier") for path in packs(pattern)]
DTYPES = [torch.float32, torch.float64]
SMALL: dict[str, Any] = {"embedding_size": 3, "filter_sizes": [1, 3], "filter_counts": [4, 5], "dropout": 0.0}


def arguments(pack: Pack) -> dict[str, Any]:
    """Our constructor arguments, from the pack's configuration and the shapes of its state."""
    given, state = pack.meta["config"]["constructor"], pack.state
    convs = [state[key] for key in state if key.startswith("convs.") and key.endswith(".weight")]
    return {
        "vocab_size": given["vocab_size"],
        "max_length": pack.meta["config"]["length"],
        "pad_token": given["padding_idx"],
        "embedding_size": given["embed_dim"],
        "filter_sizes": [conv.shape[2] for conv in convs],
        "filter_counts": [conv.shape[0] for conv in convs],
        "dropout": given["dropout"],
        "highway": "shared",
        "hidden_size": state["feature2out.weight"].shape[0] if "out2logits.weight" in state else 0,
        "outputs": list(state.values())[-1].shape[0],
    }


def our_name(key: str, classifier: bool) -> str:
    ours = {"embeddings": "embedding", "highway": "highway.transform", "out2logits": "output"}
    ours["feature2out"] = "hidden" if classifier else "output"
    layer, _, rest = key.partition(".")
    return f"{ours.get(layer, layer)}.{rest}"


def loaded(pack: Pack, dtype: torch.dtype) -> tuple[CNNDiscriminator, dict[str, Tensor]]:
    """Our network with the pack's state, and its parameters by the pack's names."""
    names = {key: our_name(key, "out2logits.weight" in pack.state) for key in pack.state}
    state = {names[key]: t.squeeze(1).transpose(1, 2) if t.dim() == 4 else t for key, t in pack.state.items()}
    state["tokenizer_table"] = torch.zeros(0, dtype=torch.uint8)
    D = build(CNNDiscriminator, arguments(pack), state, dtype=dtype)
    parameters = dict(D.named_parameters())
    return D, {key: parameters[name] for key, name in names.items()}


def gradient_norms(loss: Tensor, parameters: dict[str, Tensor], pack: Pack) -> dict[str, Tensor]:
    """L2 norms, summed in float64: in float32 that of 1720 x 1720 numbers is off by 2e-4."""
    names = [name.removeprefix("grad_norm/") for name in pack.outputs if name.startswith("grad_norm/") and name[-4:] != ".f64"]
    gradients = torch.autograd.grad(loss, [parameters[name] for name in names])
    return {f"grad_norm/{name}": gradient.double().norm() for name, gradient in zip(names, gradients, strict=True)}


@pytest.mark.parametrize("soft", [False, True], ids=["hard", "soft"])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.parent.name + p.stem)
def test_golden(path: Path, dtype: torch.dtype, soft: bool) -> None:
    pack = read_pack(path)
    D, theirs = loaded(pack, dtype)
    tokens = pack.inputs["tokens"]
    features = D.features(F.one_hot(tokens, D.vocab_size).to(dtype) if soft else tokens)
    got = {"feature": features} if "feature" in pack.outputs else {}
    got["logits"] = D.class_logits(features)
    got["loss"] = F.cross_entropy(got["logits"], pack.inputs["label"])
    got |= gradient_norms(got["loss"], theirs, pack)
    pack.compare(got, dtype)


def test_the_tree_has_the_packs() -> None:
    assert {path.stem for path in PATHS} >= {"textgan_seqgan_d", "textgan_cnn_d", "textgan_classifier"}


def test_scores_are_log_odds_of_the_last_class() -> None:
    tokens = torch.randint(0, 7, (5, 4), generator=torch.Generator().manual_seed(0))
    for outputs in (2, 3):
        D = build_random(CNNDiscriminator, {"vocab_size": 7, "max_length": 4, "outputs": outputs, **SMALL}, seed=1)
        probability = D.class_logits(D.features(tokens)).softmax(1)[:, -1]
        assert torch.allclose(D(tokens).sigmoid(), probability, atol=1e-6)
    D = build_random(CNNDiscriminator, {"vocab_size": 7, "max_length": 4, "outputs": 1, **SMALL}, seed=1)
    assert torch.equal(D(tokens), D.class_logits(D.features(tokens))[:, 0])


def test_a_convolution_by_hand() -> None:
    """One filter of two tokens with all weights 1 over one-number embeddings: the largest sum of two neighbours."""
    D = construct(
        CNNDiscriminator,
        {"vocab_size": 4, "max_length": 4, "embedding_size": 1, "filter_sizes": [2], "filter_counts": [1], "outputs": 1},
    ).eval()
    with torch.no_grad():
        D.embedding.weight.copy_(torch.tensor([[0.0], [1.0], [-5.0], [3.0]]))
        D.convs[0].weight.fill_(1)
        D.convs[0].bias.fill_(0.5)
        for layer in (D.highway.transform, D.highway.gate, D.output):
            layer.bias.zero_()
        D.highway.transform.weight.fill_(2)
        D.highway.gate.weight.zero_()  # a gate of one half
        D.output.weight.fill_(3)
    # (1 + 3 + 0.5) = 4.5; half of it and half of 9 is 6.75; times 3. Then: all sums are negative, so that ReLU gives 0.
    assert D(torch.tensor([[2, 1, 3, 2], [2, 2, 2, 1]])).tolist() == [20.25, 0.0]


@pytest.mark.parametrize("kind", ["separate", "shared"])
def test_highway(kind: Any) -> None:
    highway = build_highway(kind)
    x = torch.tensor([[1.0, -2.0]])
    h = x @ highway.transform.weight.T + highway.transform.bias
    gate = torch.sigmoid(h if kind == "shared" else x @ highway.gate.weight.T + highway.gate.bias)  # type: ignore[union-attr]
    assert torch.allclose(highway(x), gate * h.clamp_min(0) + (1 - gate) * x)
    assert (highway.gate is None) == (kind == "shared")


def build_highway(kind: Any) -> Highway:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return Highway(2, kind)


def test_soft_batches_give_gradients_and_padding_keeps_its_row() -> None:
    D = build_random(CNNDiscriminator, {"vocab_size": 6, "max_length": 4, "pad_token": 0, **SMALL}, seed=2)
    tokens = torch.tensor([[1, 2, 0, 0], [3, 4, 5, 0]])
    soft = F.one_hot(tokens, 6).float().requires_grad_()
    hard_score, soft_score = D(tokens), D(soft)
    assert torch.allclose(hard_score, soft_score, atol=1e-6)
    (to_soft,) = torch.autograd.grad(soft_score.sum(), [soft], retain_graph=True)
    assert to_soft.abs().sum() > 0
    for score in (hard_score, soft_score):
        (gradient,) = torch.autograd.grad(score.sum(), [D.embedding.weight])
        assert gradient[0].abs().max() == 0 and gradient[1].abs().max() > 0
    assert D.embedding.weight[0].abs().max() > 0


def test_without_padding_every_row_learns() -> None:
    D = build_random(CNNDiscriminator, {"vocab_size": 6, "max_length": 4, **SMALL}, seed=2)
    (gradient,) = torch.autograd.grad(D(torch.zeros(2, 4, dtype=torch.long)).sum(), [D.embedding.weight])
    assert gradient[0].abs().max() > 0


def test_dropout_only_before_the_last_layer() -> None:
    D = build_random(CNNDiscriminator, {"vocab_size": 6, "max_length": 4, **SMALL, "dropout": 0.5}, seed=2).train()
    tokens = torch.tensor([[1, 2, 3, 4]])
    assert torch.equal(D.features(tokens), D.features(tokens))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        assert len({D(tokens).item() for _ in range(8)}) > 1
    D.eval()
    assert D(tokens).item() == D(tokens).item()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"filter_sizes": [1, 5]}, "longer than the longest sentence, which has 4.\nLeave out .*filter_sizes=\\[1\\]"),
        ({"filter_sizes": [5], "filter_counts": [2]}, "Use shorter filters"),
        ({"filter_sizes": [1]}, "a count for each size"),
        ({"filter_sizes": [], "filter_counts": []}, "a count for each size"),
        ({"filter_counts": [4, 0]}, "'filter_counts' must be a whole number from 1"),
        ({"filter_sizes": [0, 1]}, "'filter_sizes' must be a whole number from 1"),
        ({"highway": "both"}, "'separate' or 'shared', not 'both'"),
        ({"dropout": 1.0}, "'dropout' must be from 0 to less than 1"),
        ({"outputs": 0}, "'outputs' must be"),
        ({"pad_token": 6}, "'pad_token' is 6, but the ids go from 0 to 5"),
        ({"vocab_size": 0}, "'vocab_size' must be"),
        ({"tokenizer_bytes": -1}, "tokenizer_bytes"),
    ],
)
def test_bad_arguments(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        construct(CNNDiscriminator, {"vocab_size": 6, "max_length": 4, **SMALL, **change})


def test_bad_batches() -> None:
    D = build_random(CNNDiscriminator, {"vocab_size": 6, "max_length": 4, **SMALL}, seed=2)
    with pytest.raises(ConfigError, match="2 tokens are shorter than the longest filter, which has 3"):
        D(torch.zeros(1, 2, dtype=torch.long))
    with pytest.raises(InvalidValueError, match="knows the ids 0 to 5, not 1 to 6"):
        D(torch.tensor([[1, 2, 6]]))
    with pytest.raises(InvalidValueError, match=r"distributions \[N, T, 6\], not torch.float32 \[1, 4, 5\]"):
        D(torch.zeros(1, 4, 5))
    with pytest.raises(InvalidValueError, match=r"not torch.int64 \[4\]"):
        D(torch.zeros(4, dtype=torch.long))


def test_initialised_as_seqgan_is() -> None:
    D = build_random(
        CNNDiscriminator, {"vocab_size": 500, "max_length": 20, "embedding_size": 32, "embedding_range": 0.5}, seed=4
    )
    assert len(D.features(torch.zeros(1, 20, dtype=torch.long))[0]) == D.output.in_features == 1720
    weight = D.embedding.weight.detach()
    assert 0.49 < float(weight.max()) <= 0.5 and abs(float(weight.std()) - 0.5 / 3**0.5) < 0.01
    assert float(D.convs[5].weight.detach().abs().max()) <= 0.2 and float(D.convs[5].bias.detach().min()) == pytest.approx(0.1)
    assert float(D.output.weight.detach().abs().max()) <= 0.2

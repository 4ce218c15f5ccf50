"""Transformers as judges: frozen with a trained head, trained whole, from scratch; hard and soft; saved and loaded."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from ganzoo.building import build, build_random, construct, skeleton
from ganzoo.checkpoint import read_model, write_model
from ganzoo.checkpoint.folder import model_config
from ganzoo.errors import CheckpointError, ConfigError, InvalidValueError
from ganzoo.text.discriminators import TransformerDiscriminator, readers
from ganzoo.text.encoders import load_encoder
from ganzoo.tokenizers import IdTokenizer, WordTokenizer, encode_tokenizer
from tests.text.test_encoders import minilm
from tests.text.tiny_encoder import BERT, write_encoder

pytest.importorskip("transformers", reason="the extra 'text' is not installed")

WORDS = WordTokenizer(["the", "man", "rides", "a", "horse", ".", "seaside", "zebra"])
ONE_PIECE = ["the man rides a horse", "a horse.", "the man rides a horse. the man"]  # the last one fills its row
SIZES: dict[str, Any] = {
    "vocab_size": WORDS.size,
    "max_length": 8,
    "pad_token": WORDS.pad,
    "tokenizer_bytes": len(encode_tokenizer(WORDS)),
    "hidden_size": 16,
}
SCRATCH: dict[str, Any] = {"encoder": {"model_type": "bert", **BERT}, "train": "full"}
KINDS = ["head", "full", "scratch"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("tiny") / "encoder")


def arguments(kind: str, folder: Path) -> dict[str, Any]:
    return SIZES | (SCRATCH if kind == "scratch" else {"encoder": str(folder), "train": kind})


def judge(kind: str, folder: Path, **change: Any) -> TransformerDiscriminator:
    D = build_random(TransformerDiscriminator, arguments(kind, folder) | change, seed=1).eval()
    D.set_tokenizer(WORDS)
    return D


def one_hot(tokens: torch.Tensor) -> torch.Tensor:
    return F.one_hot(tokens, WORDS.size).float()


@pytest.mark.parametrize("kind", ["head", "full"])
def test_hard_sentences_are_read_as_text(folder: Path, kind: str) -> None:
    D = judge(kind, folder)
    texts = [*ONE_PIECE, "the seaside"]
    assert torch.allclose(D.embed(WORDS.batch(texts, 8)), load_encoder(str(folder)).embed(texts), atol=1e-6)
    unknown = D.embed(WORDS.batch(["the dog", "the man rides a man rides a man"], 8))
    assert torch.allclose(unknown[:1], load_encoder(str(folder)).embed(["the [UNK]"]), atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_one_hots_score_as_their_ids(folder: Path, kind: str) -> None:
    D, tokens = judge(kind, folder), WORDS.batch(ONE_PIECE, 8)
    hard, soft = D(tokens), D(one_hot(tokens))
    assert hard.shape == (3,) and float(hard.detach().std()) > 1e-3
    assert torch.allclose(hard, soft, atol=1e-5)
    features = D.features(tokens)
    assert features.shape == (3, 16) and torch.allclose(D.score(features), hard, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_behind_the_end_does_not_count(folder: Path, kind: str) -> None:
    D = judge(kind, folder)
    tokens = WORDS.batch(["a horse."], 8)
    other = tokens.clone()
    other[0, 5:] = torch.tensor([7, 8, 9])
    assert torch.allclose(D(tokens), D(other), atol=1e-6)
    assert torch.allclose(D(one_hot(tokens)), D(one_hot(other)), atol=1e-6)
    assert not torch.allclose(D(tokens), D(WORDS.batch(["a man."], 8)), atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_reach_the_words_up_to_the_end(folder: Path, kind: str) -> None:
    D = judge(kind, folder)
    soft = one_hot(WORDS.batch(ONE_PIECE[:1], 8)).requires_grad_()
    (gradient,) = torch.autograd.grad(D(soft).sum(), [soft], create_graph=True)
    reached = gradient.detach().abs().amax(2)[0] > 0
    assert reached.tolist() == [True] * 6 + [False] * 2  # five words and the end
    gradient.square().sum().backward()  # as a gradient penalty does
    assert D.hidden.weight.grad is not None and float(D.hidden.weight.grad.abs().max()) > 0


def test_a_sentence_may_be_longer_than_the_encoder(tmp_path: Path) -> None:
    path = write_encoder(tmp_path / "e", modules=[], sentence_bert_config={"max_seq_length": 5})
    D = judge("full", path)
    tokens = WORDS.batch(["the man rides a horse", "the man rides"], 8)
    assert torch.allclose(D(tokens)[0], D(tokens)[1], atol=1e-6)
    assert torch.isfinite(D(one_hot(tokens))).all()


def test_only_the_head_is_trained_and_saved(folder: Path) -> None:
    D = judge("head", folder)
    names = {"norm.weight", "norm.bias", "hidden.weight", "hidden.bias", "output.weight", "output.bias"}
    assert {name for name, _ in D.named_parameters()} == names
    assert set(D.state_dict()) == names | {"tokenizer_table", "encoder_sha256"}
    D.train()
    before = load_encoder(str(folder)).embed(["the man"])
    optimizer = torch.optim.SGD(D.parameters(), lr=0.1)
    D(WORDS.batch(ONE_PIECE, 8)).sum().backward()
    optimizer.step()
    assert torch.equal(load_encoder(str(folder)).embed(["the man"]), before)


@pytest.mark.parametrize("kind", ["full", "scratch"])
def test_all_of_it_is_trained(folder: Path, kind: str) -> None:
    D = judge(kind, folder)
    D(WORDS.batch(ONE_PIECE, 8)).square().sum().backward()
    gradients = {name: p.grad for name, p in D.named_parameters() if "pooler" not in name}
    assert all(gradient is not None and gradient.abs().max() > 0 for gradient in gradients.values()), gradients.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_saved_and_loaded(folder: Path, tmp_path: Path, kind: str) -> None:
    D, tokens = judge(kind, folder), WORDS.batch(ONE_PIECE, 8)
    config = model_config("judge", "test", {"discriminator": D.config})
    write_model(tmp_path / "model", config, {"discriminator": D.state_dict()})
    stored = read_model(tmp_path / "model")
    size = sum(len(t.flatten()) for t in stored.state("discriminator").values())
    assert (size < 1_000) == (kind == "head")  # numbers of the head and bytes of the tokenizer
    again = build(TransformerDiscriminator, stored.config.arguments("discriminator") or {}, stored.state("discriminator"))
    assert again.config == D.config and again.tokenizer == WORDS
    assert all(torch.equal(tensor, D.state_dict()[name]) for name, tensor in again.state_dict().items())
    assert torch.allclose(again(tokens), D(tokens), atol=1e-6)
    assert torch.allclose(again(one_hot(tokens)), D(one_hot(tokens)), atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_its_skeleton(folder: Path, kind: str) -> None:
    before = torch.get_rng_state()
    found = skeleton(TransformerDiscriminator, arguments(kind, folder))
    assert found.shapes == {name: tuple(t.shape) for name, t in judge(kind, folder).state_dict().items()}
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("kind", ["head", "full"])
def test_another_encoder_is_refused(folder: Path, tmp_path: Path, kind: str) -> None:
    D = judge(kind, folder)
    other = write_encoder(tmp_path / "other", seed=5)
    with pytest.raises(CheckpointError, match="trained with other weights of the encoder '.*other' than those here"):
        build(TransformerDiscriminator, arguments(kind, other), D.state_dict())
    with pytest.raises(CheckpointError, match="missing has no config.json"):
        build(TransformerDiscriminator, D.config | {"encoder": str(tmp_path / "missing")}, D.state_dict())


def test_texts_seen_lately_are_not_read_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    D, tokens = judge("head", folder), WORDS.batch(ONE_PIECE, 8)
    reader: Any = D.reader
    read: list[str] = []
    embed = reader.encoder.embed
    monkeypatch.setattr(reader.encoder, "embed", lambda texts: read.extend(texts) or embed(texts))
    first = D.embed(tokens.repeat(2, 1))
    assert sorted(read) == sorted(ONE_PIECE) and torch.equal(first[:3], first[3:])
    assert torch.equal(D.embed(tokens), first[:3]) and len(read) == 3
    monkeypatch.setattr(readers, "_REMEMBERED", 2)
    D(WORDS.batch(["the man", ONE_PIECE[0]], 8))
    assert list(reader._vectors) == ["the man", ONE_PIECE[0]]
    assert torch.equal(D.embed(tokens), first[:3])  # read again, with the same result to the last bit


def test_copies_share_the_frozen_encoder(folder: Path) -> None:
    D = judge("head", folder)
    twin = copy.deepcopy(D)
    assert twin.reader is D.reader and twin.hidden.weight is not D.hidden.weight
    tokens = WORDS.batch(ONE_PIECE, 8)
    assert torch.equal(twin(tokens), D(tokens))


def test_in_double_precision(folder: Path) -> None:
    D, tokens = judge("head", folder), WORDS.batch(ONE_PIECE, 8)
    wanted = D(tokens)
    assert torch.allclose(D.double()(tokens), wanted.double(), atol=1e-5)
    assert D(one_hot(tokens).double()).dtype == torch.float64


def test_over_plain_ids() -> None:
    D = construct(TransformerDiscriminator, {"vocab_size": 9, "max_length": 4, **SCRATCH}).eval()
    tokens = torch.tensor([[0, 1, 2, 3], [1, 1, 2, 3]])
    assert D.tokenizer == IdTokenizer(9)
    scores = D(tokens)
    assert abs(float((scores[0] - scores[1]).detach())) > 1e-4
    assert torch.allclose(scores, D(F.one_hot(tokens, 9).float()), atol=1e-5)
    (gradient,) = torch.autograd.grad(scores.sum(), [D.reader.network.token_table])  # type: ignore[union-attr]
    assert gradient[0].abs().max() > 0  # 0 is a token like any other


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tokenizer_bytes": 0}, "reads text, but this network has no tokenizer"),
        ({"encoder": "someone/encoder"}, "is not pinned.*\nName a commit"),
        ({"encoder": "someone/encoder@main"}, "is not pinned"),
        ({"encoder": "minilm-l6"}, "is not pinned"),
        ({"train": "all"}, "'train' is 'head' or 'full', not 'all'"),
        ({**SCRATCH, "train": "head"}, "from scratch has nothing to judge by"),
        ({**SCRATCH, "encoder": {"model_type": "no-such"}}, "transformers has no model_type 'no-such'"),
        ({**SCRATCH, "encoder": {**SCRATCH["encoder"], "hidden_size": 13}}, "cannot be built: "),
        ({**SCRATCH, "encoder": {"model_type": "t5"}}, "is a t5, which is no encoder"),
        ({**SCRATCH, "max_length": 25}, "has 24 positions, but sentences may have 25"),
        ({"hidden_size": 0}, "'hidden_size' must be"),
        ({"dropout": -0.1}, "'dropout' must be"),
        ({"pad_token": 99}, "'pad_token' is 99"),
    ],
)
def test_bad_arguments(folder: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        construct(TransformerDiscriminator, arguments("head", folder) | change)


def test_bad_batches(folder: Path) -> None:
    D = judge("head", folder)
    with pytest.raises(InvalidValueError, match="knows the ids 0 to 11, not 0 to 12"):
        D(torch.tensor([[0, 12]]))
    with pytest.raises(InvalidValueError, match="judges ids"):
        D(torch.zeros(1, 8, 5))
    untold = build_random(TransformerDiscriminator, arguments("head", folder), seed=1)
    with pytest.raises(ConfigError, match="has no tokenizer yet"):
        untold(WORDS.batch(ONE_PIECE, 8))


def test_the_config_is_json(folder: Path) -> None:
    for kind in KINDS:
        D = judge(kind, folder)
        assert json.loads(json.dumps(D.config)) == D.config == construct(TransformerDiscriminator, D.config).config


@minilm
def test_minilm_tells_sentences_from_shuffled_words() -> None:
    """A head on frozen MiniLM separates eight sentences from their shuffled words, which it can only by reading them."""
    texts = ["the man rides a horse.", "a zebra rides the man.", "the horse rides a zebra.", "a man rides the zebra."]
    shuffled = ["man the horse a rides.", "zebra a. man the rides", "rides horse a the zebra.", "zebra. rides a man the"]
    D = build_random(TransformerDiscriminator, SIZES | {"encoder": "minilm", "dropout": 0.0}, seed=3)
    D.set_tokenizer(WORDS)
    tokens, real = WORDS.batch(texts + shuffled, 8), torch.tensor([1.0] * 4 + [0.0] * 4)
    optimizer = torch.optim.Adam(D.parameters(), lr=1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        F.binary_cross_entropy_with_logits(D(tokens), real).backward()
        optimizer.step()
    assert ((D(tokens) > 0) == real.bool()).all()
    assert torch.allclose(D(tokens), D(one_hot(tokens)), atol=1e-3)

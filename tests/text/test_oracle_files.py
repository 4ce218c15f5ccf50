"""SeqGAN's published oracle: read from every kind of file without executing it, and computed to the last digits."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from ganzoo.errors import CheckpointError, CorruptFileError, HostileFileError
from ganzoo.text.oracle import LSTMOracle
from tests.support.packs import GOLDEN, Pack, packs, read_pack
from tests.text.target_params import Array, python_2, python_3

# The arrays of the published oracle have no licence, so they are not in the tree.
FOUND = packs("seqgan_oracle")


@pytest.fixture(scope="module")
def published() -> Path:
    if not FOUND:
        pytest.skip("the pack seqgan_oracle is not in GANZOO_PARITY_DIR")
    return FOUND[0]


@pytest.fixture(scope="module")
def pack(published: Path) -> Pack:
    return read_pack(published)


NAMES = ("embedding", "Wi", "Ui", "bi", "Wf", "Uf", "bf", "Wog", "Uog", "bog", "Wc", "Uc", "bc", "Wo", "bo")


@pytest.fixture
def arrays() -> list[Array]:
    """Of another size than the published ones, and with the same meaning."""
    rng = np.random.default_rng(7)
    gates = [shape for _ in range(4) for shape in ((4, 6), (6, 6), (6,))]
    return [rng.standard_normal(shape).astype("f4") for shape in ((50, 4), *gates, (6, 50), (50,))]


def reference(arrays: list[Array], sentences: Array) -> Array:
    """Log-probabilities by the formulas of the published graph, word by word."""
    embedding, wi, ui, bi, wf, uf, bf, wo, uo, bo, wc, uc, bc, w, b = (a.astype("f8") for a in arrays)
    h = c = np.zeros((len(sentences), len(bi)))
    words, found = np.zeros(len(sentences), dtype=int), []
    for place in range(sentences.shape[1]):
        x = embedding[words]
        i, f, o = (1 / (1 + np.exp(-(x @ m + h @ n + v))) for m, n, v in ((wi, ui, bi), (wf, uf, bf), (wo, uo, bo)))
        c = f * c + i * np.tanh(x @ wc + h @ uc + bc)
        h = o * np.tanh(c)
        logits = h @ w + b
        words = sentences[:, place]
        found.append(logits[range(len(words)), words] - np.log(np.exp(logits).sum(1)))
    return np.stack(found, 1)


WRITERS: dict[str, Callable[[Path, list[Array]], Path]] = {
    "protocol-0": lambda path, arrays: python_3(path, arrays, 0),
    "protocol-3": lambda path, arrays: python_3(path, arrays, 3),
    "protocol-5": lambda path, arrays: python_3(path, arrays, 5),
    "python-2": python_2,
}


@pytest.mark.parametrize("kind", WRITERS)
def test_a_users_target_params_is_the_oracle_that_its_arrays_describe(tmp_path: Path, arrays: list[Array], kind: str) -> None:
    path = WRITERS[kind](tmp_path / "target_params.pkl", arrays)
    oracle = LSTMOracle.from_file(path)
    assert (oracle.name, oracle.vocab_size, oracle.length) == ("target_params.pkl", 50, 20)
    sentences = np.random.default_rng(1).integers(0, 50, (30, 20))
    got = oracle.log_prob(torch.from_numpy(sentences)).numpy()
    assert np.abs(got - reference(arrays, sentences)).max() < 1e-12


@pytest.mark.parametrize("kind", WRITERS)
def test_the_published_arrays_are_read_from_every_kind_of_file(tmp_path: Path, pack: Pack, published: Path, kind: str) -> None:
    path = WRITERS[kind](tmp_path / "target_params.pkl", [tensor.numpy() for tensor in pack.state.values()])
    assert LSTMOracle.from_file(path).sha256 == LSTMOracle.from_file(published).sha256


def test_likelihoods_are_those_of_the_reference(pack: Pack, published: Path) -> None:
    oracle, sentences = LSTMOracle.from_file(published), pack.inputs["sequences"].long()
    allowed = pack.meta["tolerance"]["float64"]["atol"]
    per_token = -oracle.log_prob(sentences)
    assert float((per_token - pack.outputs["nll_per_token"]).abs().max()) <= allowed
    assert float((per_token.sum(1) - pack.outputs["nll_per_sequence"]).abs().max()) <= allowed
    every_word = torch.arange(5000)[:, None]
    assert float((oracle.log_prob(every_word)[:, 0] - pack.outputs["first_step_log_probs"]).abs().max()) <= allowed


def test_states_are_those_of_the_reference(pack: Pack, published: Path) -> None:
    oracle, sentences = LSTMOracle.from_file(published), pack.inputs["sequences"].long()[:8]
    words = torch.zeros(8, dtype=torch.int64)
    h = c = torch.zeros(8, 32, dtype=torch.float64)
    for place in range(20):
        h, c = oracle._step(words, (h, c))
        words = sentences[:, place]
    allowed = pack.meta["tolerance"]["float64"]["atol"]
    assert float((h - pack.outputs["h_final"]).abs().max()) <= allowed
    assert float((c - pack.outputs["c_final"]).abs().max()) <= allowed


def test_its_entropy_is_the_published_one(published: Path) -> None:
    """5.750 in the paper's log; 5.751 to 5.770 in draws of several thousand sentences."""
    assert LSTMOracle.from_file(published).entropy(1000, seed=0).value == pytest.approx(5.76, abs=0.03)


def replaced(arrays: list[Array], place: int, value: Any) -> list[Any]:
    return [*arrays[:place], value, *arrays[place + 1 :]]


def small_arrays() -> list[Array]:
    rng = np.random.default_rng(0)
    gates = [shape for _ in range(4) for shape in ((3, 2), (2, 2), (2,))]
    return [rng.standard_normal(shape).astype("f4") for shape in ((5, 3), *gates, (2, 5), (5,))]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda a: a[:14], "14 arrays"),
        (lambda a: [*a, a[0]], "16 arrays"),
        (lambda a: replaced(a, 1, a[1].T), "'Wi' is \\[2, 3\\]"),
        (lambda a: replaced(a, 0, a[0][0]), "no matrix"),
        (lambda a: replaced(a, 14, a[14].astype("i4")), "'bo'"),
        (lambda a: replaced(a, 5, np.full_like(a[5], np.nan)), "'Uf' holds numbers that are not finite"),
        (lambda a: replaced(a, 13, a[13][:, :4]), "'Wo'"),
    ],
)
def test_arrays_that_are_no_oracle(tmp_path: Path, change: Callable[[list[Array]], list[Array]], words: str) -> None:
    path = python_3(tmp_path / "target_params.pkl", change(small_arrays()), 3)
    with pytest.raises(CheckpointError, match=words) as caught:
        LSTMOracle.from_file(path)
    assert str(path) in str(caught.value)


def test_a_small_oracle_may_have_any_sizes(tmp_path: Path) -> None:
    oracle = LSTMOracle.from_file(python_3(tmp_path / "small.pkl", small_arrays(), 3), length=6)
    assert oracle.sample(3, seed=0).shape == (3, 6)
    assert int(oracle.sample(300, seed=0).max()) == 4


def test_safetensors_by_name_with_or_without_the_prefix(tmp_path: Path, arrays: list[Array]) -> None:
    tensors = {name: torch.from_numpy(array) for name, array in zip(NAMES, arrays, strict=True)}
    save_file(tensors, tmp_path / "plain.safetensors")
    save_file({f"state/{name}": tensor for name, tensor in tensors.items()}, tmp_path / "prefixed.safetensors")
    wanted = LSTMOracle.from_file(python_3(tmp_path / "target_params.pkl", arrays, 3)).sha256
    assert LSTMOracle.from_file(tmp_path / "plain.safetensors").sha256 == wanted
    assert LSTMOracle.from_file(tmp_path / "prefixed.safetensors").sha256 == wanted
    save_file({"Wi": torch.zeros(2, 2)}, tmp_path / "other.safetensors")
    with pytest.raises(CheckpointError, match="lacks the arrays embedding, Ui"):
        LSTMOracle.from_file(tmp_path / "other.safetensors")


def test_a_hostile_oracle_is_refused_by_name() -> None:
    with pytest.raises(HostileFileError, match="posix.system"):
        LSTMOracle.from_file(GOLDEN / "malicious.pkl")


def test_what_is_no_oracle_file(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(2)}, tmp_path / "weights.pt")
    (tmp_path / "empty.pkl").write_bytes(b"")
    (tmp_path / "page.pkl").write_text("<html>not found</html>")
    with pytest.raises(CheckpointError, match=r"torch\.save[\s\S]*target_params"):
        LSTMOracle.from_file(tmp_path / "weights.pt")
    for name in ("empty.pkl", "page.pkl"):
        with pytest.raises(CorruptFileError, match=name):
            LSTMOracle.from_file(tmp_path / name)
    with pytest.raises(CheckpointError, match="no file"):
        LSTMOracle.from_file(tmp_path / "missing.pkl")

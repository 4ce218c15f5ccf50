"""The data sets are the oracles' own, pinned: figures of two machines are comparable only if these are equal."""

import pytest
import torch

from ganzoo.data import TextDataset
from ganzoo.errors import DataError
from ganzoo.resources import open_dataset
from ganzoo.text.oracle import LSTMOracle
from ganzoo.tokenizers import IdTokenizer
from ganzoo_oracle import ganzoo_datasets
from ganzoo_oracle.data import text_oracle, text_oracle_small


@pytest.fixture(scope="module")
def small() -> dict[str, TextDataset]:
    return {split: text_oracle_small(split=split) for split in ("train", "valid", "test")}


def test_splits_are_draws_of_their_own_of_one_oracle(small: dict[str, TextDataset]) -> None:
    assert {split: len(data) for split, data in small.items()} == {"train": 2000, "valid": 10_000, "test": 10_000}
    for split, data in small.items():
        assert data.name == f"text-oracle-small/{split}"
        assert data.ids is not None
        assert (data.ids.shape[1], int(data.ids.max())) == (10, 99)
        assert isinstance(data.tokenizer, IdTokenizer)
        assert data.tokenizer.size == 100
        assert isinstance(data.density, LSTMOracle)
    rows = {split: {tuple(row) for row in data.ids.tolist()} for split, data in small.items() if data.ids is not None}
    # What an oracle is likely to say it says in every split; but no split is part of another.
    assert len(rows["train"] & rows["test"]) < 0.1 * len(rows["train"])


def test_the_content_is_pinned(small: dict[str, TextDataset]) -> None:
    assert small["train"].sha256 == "9e3fd00671885bde6251518e5cfa01bbe094dd2a5e2443875d87c33a25674a07"
    assert small["test"].sha256 == "75be27cf8b16b93dde3657a8556cb22fe3c811a3da55da24ffb89b6d160e4613"
    assert text_oracle_small().sha256 == small["train"].sha256


def test_only_the_training_split_has_something_to_stop_on(small: dict[str, TextDataset]) -> None:
    valid = small["train"].validation
    assert valid is not None and valid.ids is not None and small["valid"].ids is not None
    assert torch.equal(valid.ids, small["valid"].ids[:2000])
    assert small["test"].validation is None


def test_the_density_is_that_of_the_sentences(small: dict[str, TextDataset]) -> None:
    data = small["test"]
    assert data.density is not None and data.ids is not None
    assert float(-data.density.log_prob(data.ids).mean()) == pytest.approx(3.16, abs=0.02)
    shuffled = data.ids.flatten()[torch.randperm(data.ids.numel(), generator=torch.Generator().manual_seed(0))]
    assert float(-data.density.log_prob(shuffled.reshape(data.ids.shape)).mean()) > 5


def test_sentences_read_as_their_ids(small: dict[str, TextDataset]) -> None:
    data = small["train"]
    assert data.ids is not None
    assert data.lines[0] == " ".join(map(str, data.ids[0].tolist()))


def test_the_large_oracle_has_the_sizes_of_the_paper(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganzoo_oracle.data.SENTENCES", 50)
    data = text_oracle(split="test")
    assert isinstance(data.density, LSTMOracle)
    assert data.density.vocab_size == 5000
    assert data.ids is not None and data.ids.shape == (50, 20)
    assert data.density.sha256 == LSTMOracle.seeded(6).sha256


def test_an_unknown_split_lists_the_known_ones() -> None:
    with pytest.raises(DataError, match="'dev'[\\s\\S]*train, valid, test"):
        text_oracle_small(split="dev")


def test_the_hook_names_what_exists() -> None:
    assert [part.id for part in ganzoo_datasets()] == ["text-oracle", "text-oracle-small"]


@pytest.mark.parametrize("part", [p.id for p in ganzoo_datasets()][1:])
def test_they_open_by_name(part: str) -> None:
    data = open_dataset(f"{part}:valid")
    assert (data.name, data.modality) == (f"{part}/valid", "text")

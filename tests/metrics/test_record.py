from pathlib import Path

import msgspec
import pytest

from ganzoo.errors import CorruptFileError, OutputError
from ganzoo.metrics import add_to_record, read_record
from tests.metrics.test_tables import evaluation


def test_evaluations_are_kept_one_for_each_protocol_and_weights(tmp_path: Path) -> None:
    file = add_to_record(tmp_path, evaluation("a", 1.0))
    assert file == tmp_path / "evaluation.json"
    add_to_record(tmp_path, evaluation("a", 2.0, seed=9))
    add_to_record(tmp_path, msgspec.structs.replace(evaluation("a", 3.0), weights_sha256="9" * 64))
    add_to_record(tmp_path, evaluation("again", 4.0))  # the protocol of the first
    assert [(e.name, e.model.figures["frechet-distance"]) for e in read_record(file)] == [
        ("a", 2.0),
        ("a", 3.0),
        ("again", 4.0),
    ]
    assert read_record(file)[-1] == evaluation("again", 4.0)
    assert [p.name for p in tmp_path.iterdir()] == ["evaluation.json"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"format": 1}', b'{"format": 2, "evaluations": []}', b"\xff"])
def test_a_file_that_is_something_else_is_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "evaluation.json").write_bytes(content)
    with pytest.raises(CorruptFileError, match=r"evaluation\.json"):
        add_to_record(tmp_path, evaluation("a"))
    assert (tmp_path / "evaluation.json").read_bytes() == content


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"evaluation\.json cannot be written"):
        add_to_record(tmp_path / "nowhere", evaluation("a"))
    with pytest.raises(CorruptFileError, match="nothing"):
        read_record(tmp_path / "nothing.json")

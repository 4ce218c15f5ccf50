import errno
import os
from pathlib import Path

import pytest
import torch
from torch import nn

from ganzoo.errors import CheckpointError, CorruptFileError, OutputError
from ganzoo.training import checkpoints
from ganzoo.training.checkpoints import list_checkpoints, read_checkpoint, write_checkpoint

STATE = {
    "images": 64,
    "rng": {"run": torch.arange(5, dtype=torch.uint8)},
    "optimizers": {"generator": {"0": {"step": torch.tensor(3.0)}}},
}


def write(folder: Path, images: int = 64) -> Path:
    return write_checkpoint(folder, {"generator": nn.Linear(2, 3)}, {**STATE, "images": images})


def test_networks_and_state_come_back(tmp_path: Path) -> None:
    network = nn.Linear(2, 3)
    path = write_checkpoint(tmp_path / "new", {"generator": network}, STATE)
    read = read_checkpoint(path)
    assert all(torch.equal(read.networks["generator"][k], v) for k, v in network.state_dict().items())
    assert read.state["images"] == 64
    assert torch.equal(read.state["rng"]["run"], STATE["rng"]["run"]) and read.state["rng"]["run"].dtype == torch.uint8
    assert read.state["optimizers"]["generator"]["0"]["step"].shape == ()


def test_tied_weights_are_written_too(tmp_path: Path) -> None:
    network = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])
    network[1].weight = network[0].weight
    read = read_checkpoint(write_checkpoint(tmp_path, {"generator": network}, STATE))
    assert torch.equal(read.networks["generator"]["0.weight"], read.networks["generator"]["1.weight"])


def test_the_latest_two_are_kept(tmp_path: Path) -> None:
    for images in (64, 96, 128, 1000, 2_000_000_000):
        write(tmp_path, images)
    assert [p.name for p in list_checkpoints(tmp_path)] == ["000001000", "2000000000"]


def test_later_ones_that_the_run_went_back_from_go_too(tmp_path: Path) -> None:
    """Damaged ones would else count as the latest two, and the good one before would be removed."""
    for images in (64, 96, 80):
        write(tmp_path, images)
    assert [p.name for p in list_checkpoints(tmp_path)] == ["000000064", "000000080"]


def test_names_of_parts_may_have_dots(tmp_path: Path) -> None:
    state = {**STATE, "regularizers": {"acme.r1": {"mean": torch.tensor(2.0)}, "acme": {"r1": torch.tensor(3.0)}}}
    read = read_checkpoint(write_checkpoint(tmp_path, {}, state))
    assert read.state["regularizers"]["acme.r1"]["mean"] == 2 and read.state["regularizers"]["acme"]["r1"] == 3


def test_writing_the_same_place_twice_replaces_it(tmp_path: Path) -> None:
    assert write(tmp_path) == write(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["000000064"]


@pytest.mark.parametrize("name", ["generator.safetensors", "state.safetensors", "state.json"])
@pytest.mark.parametrize("damage", ["missing", "empty", "truncated", "changed"])
def test_damage_is_noticed(tmp_path: Path, name: str, damage: str) -> None:
    file = write(tmp_path) / name
    content = file.read_bytes()
    if damage == "missing":
        file.unlink()
    else:
        changed = content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]
        file.write_bytes({"empty": b"", "truncated": content[:-7], "changed": changed}[damage])
    with pytest.raises(CorruptFileError, match=r"000000064 is damaged"):
        read_checkpoint(file.parent)


def test_another_format_is_refused_and_not_taken_for_damage(tmp_path: Path) -> None:
    file = write(tmp_path) / "state.json"
    file.write_text(file.read_text().replace('"format": 2', '"format": 3'))
    with pytest.raises(CheckpointError, match=r"has the format 3; .*reads 2.\n.*version of ganzoo that wrote it") as refused:
        read_checkpoint(file.parent)
    assert not isinstance(refused.value, CorruptFileError)


def test_a_full_disk_leaves_the_older_checkpoint_and_no_half_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = write(tmp_path)
    written = []

    def full(handle: int) -> None:
        written.append(handle)
        if len(written) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(checkpoints.os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        write(tmp_path, 128)
    assert [p.name for p in tmp_path.iterdir()] == [old.name]
    read_checkpoint(old)


def test_what_a_killed_run_left_half_written_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".partial-abc").mkdir()
    (tmp_path / ".partial-abc" / "generator.safetensors").write_bytes(b"half")
    write(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["000000064"]


def test_what_is_no_checkpoint_is_not_listed(tmp_path: Path) -> None:
    (tmp_path / ".partial-abc").mkdir()
    (tmp_path / "000000001").write_text("a file")
    assert list_checkpoints(tmp_path) == list_checkpoints(tmp_path / "missing") == []

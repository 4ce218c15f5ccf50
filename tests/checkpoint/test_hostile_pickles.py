"""Broken and hostile pickles of whole networks: an error of ganzoo each time, no code, little memory, no waiting."""

import os
import pickle
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ganzoo.checkpoint import LayoutReader, read_checkpoint, recognise
from ganzoo.errors import CheckpointError, HostileFileError
from ganzoo.spec import Architecture, Layout
from tests.checkpoint import bombs
from tests.checkpoint.assembler import START, asks, call, dict_of, text
from tests.checkpoint.nvidia_files import EasyDict, Persistent, dumps, tf_network
from tests.support.packs import GOLDEN


class Linear(Persistent):
    def __init__(self, size: int) -> None:
        super().__init__(size, gain=1.0, filter=[1, 3, 3, 1])
        self.weight, self.taps = nn.Parameter(torch.ones(size, size)), np.arange(9.0)


class Net(Persistent):
    def __init__(self) -> None:
        super().__init__(mapping_kwargs=EasyDict(num_layers=2))
        self.fc, self.out = Linear(3), Linear(5)
        self.register_buffer("scratch", torch.ones(2), persistent=False)


def networks() -> dict[str, bytes]:
    """A small file of each kind."""
    array = np.arange(70, dtype=np.float32).reshape(7, 10)
    tf = [tf_network(n, {"w": array, "lod": np.float32(0)}, {"m": tf_network("m", {"b": array})}, size=7) for n in "GDg"]
    return {"torch": dumps({"G_ema": Net(), "args": EasyDict(a=1)}), "tf": dumps(tuple(tf)), "tf2": dumps(tuple(tf), 2)}


KINDS = ("torch", "tf", "tf2")


class Reader(LayoutReader):
    def config(self, shapes: Any) -> dict[str, Any] | None:
        return None

    def keys(self, config: Any) -> dict[str, str]:
        return {}


def attempt(path: Path, data: bytes) -> bool:
    """Whether the file is still read; anything but an error of ganzoo fails the test."""
    path.write_bytes(data)
    try:
        checkpoint = read_checkpoint(path)
        for state in checkpoint.states:
            sum(float(tensor.double().nan_to_num().sum()) for tensor in state.tensors.values())
        layout = Layout(id="x", role="generator", reader=f"{__name__}:Reader")
        networks: Any = {"generator": "torch.nn:Linear"}
        architecture = Architecture(
            id="x", summary="…", modality="image", task="…", networks=networks, layouts=(layout,), config=()
        )
        recognise(checkpoint, [("p", architecture)])
    except CheckpointError as e:
        return "fits no architecture" in e.message
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_every_truncation_is_an_error(kind: str, tmp_path: Path) -> None:
    data = networks()[kind]
    assert attempt(tmp_path / "x", data)
    for end in range(0, len(data), max(1, len(data) // 700)):
        assert not attempt(tmp_path / "x", data[:end]), end


def test_a_truncated_golden_pickle_is_an_error(tmp_path: Path) -> None:
    data = (GOLDEN / "stylegan3_t.pkl").read_bytes()
    for end in range(1, len(data), 1499):
        assert not attempt(tmp_path / "x", data[:end]), end


@pytest.mark.parametrize("kind", KINDS)
def test_flipped_bits_are_an_error_or_other_weights(kind: str, tmp_path: Path) -> None:
    chance, whole = random.Random(kind), networks()[kind]
    read = 0
    for _ in range(1200):
        data = bytearray(whole)
        for _ in range(chance.choice((1, 1, 1, 3))):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        read += attempt(tmp_path / "x", bytes(data))
    assert 100 < read < 1150


def test_flipped_bits_in_what_describes_a_golden_pickle(tmp_path: Path) -> None:
    chance, whole = random.Random(1), (GOLDEN / "stylegan2_ada.pkl").read_bytes()
    for _ in range(60):
        data = bytearray(whole)
        data[chance.randrange(len(data) if chance.random() < 0.5 else 4000)] ^= 1 << chance.randrange(8)
        attempt(tmp_path / "x", bytes(data))


def test_pieces_moved_about_are_an_error_or_something_else(tmp_path: Path) -> None:
    chance, pool = random.Random(2), networks()
    for _ in range(900):
        data, other = bytearray(pool[chance.choice(KINDS)]), pool[chance.choice(KINDS)]
        start, source, length = chance.randrange(len(data)), chance.randrange(len(other)), chance.randrange(1, 60)
        data[start : start + chance.randrange(60)] = other[source : source + length]
        attempt(tmp_path / "x", bytes(data))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html>Too many requests</html>", "web page"),
        (b"  <html><head><title>Google Drive</title>", "web page"),
        (dumps({"G_ema": Net()})[:-1], "ends early"),
        (dumps({"G_ema": None}), "no named tensors"),
        (dumps((1, 2, 3)), "no named tensors"),
    ],
)
def test_files_that_hold_no_networks(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "network-snapshot.pkl").write_bytes(content)
    with pytest.raises(CheckpointError, match=words):
        read_checkpoint(tmp_path / "network-snapshot.pkl")


class Unheard(nn.Module):
    pass


def test_a_class_that_nobody_knows_is_named(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(pickle.dumps({"G_ema": Unheard()}))
    with pytest.raises(HostileFileError, match=r"test_hostile_pickles\.Unheard.*\n.*may be harmless") as caught:
        read_checkpoint(tmp_path / "x")
    assert caught.value.names == (f"{__name__}.Unheard",)


@pytest.mark.parametrize("name", ["posix.system", "builtins.eval", "torch.load", "numpy.load", "pickle.loads"])
@pytest.mark.parametrize("where", ["state", "variables", "arguments", "object array", "source"])
def test_code_hidden_in_a_network_is_refused(where: str, name: str, tmp_path: Path) -> None:
    evil = call(name, text("x"))
    state = dict_of(text("_parameters"), b"}", text("_buffers"), b"}", text("_modules"), b"}", text("_init_kwargs"), evil)
    persistent = "torch_utils.persistence._reconstruct_persistent_obj"
    program = {
        "state": call(persistent, dict_of(text("class_name"), text("A"), text("state"), evil)),
        "arguments": call(persistent, dict_of(text("class_name"), text("A"), text("state"), state)),
        "source": call(persistent, dict_of(text("class_name"), text("A"), text("module_src"), evil)),
        "variables": call("dnnlib.tflib.network.Network") + dict_of(text("variables"), b"](" + evil + b"e") + b"b",
        "object array": call("numpy.core.multiarray._reconstruct", asks("numpy.ndarray")) + b"(" + evil + b"tb",
    }[where]
    (tmp_path / "x").write_bytes(START + dict_of(text("G"), program) + b".")
    with pytest.raises(HostileFileError) as caught:
        read_checkpoint(tmp_path / "x")
    assert caught.value.names == (name,)


@pytest.mark.parametrize("levels", [20, 45, 55, 95, 110, 400])
def test_networks_within_networks_are_read_or_refused(levels: int, tmp_path: Path) -> None:
    torch_program, tf_program = bombs.network(), b""
    for _ in range(levels):
        torch_program = bombs.network(text("a"), torch_program)
        components = text("components") + dict_of(text("a"), tf_program) if tf_program else b""
        table = dict_of(text("variables"), b"]", components)
        tf_program = call("dnnlib.tflib.network.Network") + table + b"b"
    for program in (torch_program, tf_program):
        (tmp_path / "x").write_bytes(START + dict_of(text("a"), program) + b".")
        with pytest.raises(CheckpointError, match="no named tensors" if levels < 25 else "no named tensors|deep"):
            read_checkpoint(tmp_path / "x")


def run(code: str, *arguments: object) -> str:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


WATCHED = """
import sys
from pathlib import Path
from ganzoo.checkpoint import read_checkpoint, recognise
from ganzoo.errors import GanzooError

def attempt(path):
    try:
        return str(len(read_checkpoint(path).states))
    except GanzooError as e:
        return type(e).__name__

FORBIDDEN = ("compile", "exec", "import", "pickle.find_class", "marshal.loads", "os.", "subprocess.", "socket.", "code.")
paths = sys.argv[1:]
first = [attempt(path) for path in paths]  # whatever ganzoo itself imports late
events, watching = [], True
def hook(event, arguments):
    if watching and event.startswith(FORBIDDEN):
        events.append((event, repr(arguments)[:200]))
sys.addaudithook(hook)
found = [attempt(path) for path in paths]
watching = False
assert not events, events
assert found == first
watching = True
eval("1 + 1")
assert events, "the hook sees nothing"
print(" ".join(found))
"""


def test_nothing_is_compiled_imported_or_run(tmp_path: Path) -> None:
    files = {**networks(), "unknown": pickle.dumps({"G": Unheard()})}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    paths = [*(tmp_path / name for name in files), GOLDEN / "malicious.pkl", GOLDEN / "stylegan3_r.pkl"]
    assert run(WATCHED, *paths).split() == ["1", "3", "3", "HostileFileError", "HostileFileError", "3"]


MEASURE = """
import os, sys, time
from pathlib import Path
import numpy, torch
from ganzoo.checkpoint import read_checkpoint
from ganzoo.errors import CorruptFileError, CheckpointError
torch.set_num_threads(1)

def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) * 1024

for path in map(Path, sys.argv[1:]):
    if os.fork() == 0:  # each has a memory of its own
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        before, start = peak(), time.process_time()
        try:
            outcome = f"read {len(read_checkpoint(path).states)}"
        except CorruptFileError:
            outcome = "refused"
        except CheckpointError:
            outcome = "nothing"
        print(path.name, path.stat().st_size, peak() - before, time.process_time() - start, outcome, sep="\\t", flush=True)
        os._exit(0)
    os.wait()
"""


def measured(*paths: Path) -> Iterator[tuple[str, int, int, float, str]]:
    for line in run(MEASURE, *paths).splitlines():
        name, size, memory, seconds, outcome = line.split("\t")
        yield name, int(size), int(memory), float(seconds), outcome


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="measures memory as Linux tells it")
def test_bombs_are_refused_before_they_need_much_memory(tmp_path: Path) -> None:
    for name, program in bombs.BOMBS.items():
        (tmp_path / name).write_bytes(START + dict_of(text("a"), program) + b".")
    results = list(measured(*(tmp_path / name for name in bombs.BOMBS)))
    assert len(results) == len(bombs.BOMBS)
    for name, size, memory, seconds, outcome in results:
        assert memory < 64 * 2**20 + 4 * size, (name, size, memory)
        assert seconds < 20, (name, seconds)
        assert outcome == ("nothing" if name in bombs.HARMLESS else "refused"), name


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="measures memory as Linux tells it")
def test_honest_files_need_little_more_than_their_own_size(tmp_path: Path) -> None:
    weights = {f"{i}/weight": np.ones((1024, 1024), np.float32) for i in range(6)}
    network = Net()
    network.big = nn.ModuleDict({str(i): Linear(1024) for i in range(6)})._modules  # type: ignore[assignment]
    for key in "abcdefghijkl":
        setattr(network, key, Linear(1024))
    network.big = None  # type: ignore[assignment]
    (tmp_path / "torch").write_bytes(dumps({"G_ema": network}))
    (tmp_path / "tf").write_bytes(dumps((tf_network("G", weights), tf_network("D", weights), tf_network("Gs", weights))))
    (tmp_path / "tf2").write_bytes(dumps(tf_network("G", weights), 2))
    for name, size, memory, _, outcome in measured(*(tmp_path / name for name in ("torch", "tf", "tf2"))):
        assert size > 24 * 2**20
        assert outcome.startswith("read"), name
        assert memory < 16 * 2**20 + 2.2 * size, (name, size, memory)


def test_a_thousand_references_to_one_storage_are_read_once(tmp_path: Path) -> None:
    start = time.process_time()
    (tmp_path / "x").write_bytes(START + dict_of(text("a"), bombs.one_storage_often(60_000)) + b".")
    with pytest.raises(CheckpointError):
        read_checkpoint(tmp_path / "x")
    assert time.process_time() - start < 10

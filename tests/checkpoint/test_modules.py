"""Pickles of whole modules: read as the state dicts that PyTorch would give, by an exact list of classes, never executed."""

import collections
import copy
import os
import pickle
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ganzoo.checkpoint import read_checkpoint
from ganzoo.checkpoint.torch_file import LEGACY_MAGIC, LEGACY_PROTOCOL
from ganzoo.errors import CheckpointError, CorruptFileError, HostileFileError
from tests.checkpoint.assembler import START, call, dict_of, number, text, tuple_of

CONTAINER, CONVOLUTION, NORM, LINEAR = (
    f"torch.nn.modules.{name}" for name in ("container.Sequential", "conv.Conv2d", "batchnorm.BatchNorm2d", "linear.Linear")
)
# What a storage of four ones is in a plain pickle: a legacy file of torch.save.
LEGACY = torch.ones(4)._typed_storage().__reduce__()[1][0]
CLASSES = {CONTAINER, CONVOLUTION, NORM, LINEAR}


def network() -> nn.Module:
    torch.manual_seed(0)
    inner = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4))
    net = nn.Sequential(inner, nn.Linear(4, 2).requires_grad_(False))
    net.register_buffer("mean", torch.arange(3.0))
    net.register_buffer("scratch", torch.ones(5), persistent=False)
    net.register_buffer("nothing", None)
    net.register_forward_hook(print)
    net.precision = torch.bfloat16  # type: ignore[assignment]
    return net


def content() -> dict[str, Any]:
    net = network()
    optimiser = torch.optim.Adam(net.parameters())
    net[0](torch.randn(2, 3, 8, 8)).sum().backward()
    optimiser.step()
    net._forward_hooks.clear()
    return {"net": copy.deepcopy(net).eval(), "opt": optimiser.state_dict(), "seen": 7, "args": {"size": 8}}


def written(path: Path, value: Any, protocol: int = 4) -> Path:
    path.write_bytes(pickle.dumps(value, protocol))
    return path


def same(found: Any, wanted: dict[str, Tensor]) -> None:
    assert list(found) == list(wanted)
    for name, tensor in wanted.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor), name


@pytest.mark.parametrize("protocol", range(6))
def test_a_module_is_read_as_its_state_dict(protocol: int, tmp_path: Path) -> None:
    whole = content()
    checkpoint = read_checkpoint(written(tmp_path / "x", whole, protocol), classes=CLASSES)
    (state,) = checkpoint.states
    assert state.place == "net"
    same(state.tensors, whole["net"].state_dict())
    assert {"mean", "0.1.running_var"} <= set(state.tensors)
    assert "scratch" not in state.tensors
    assert checkpoint.metadata == {"seen": 7, "args.size": 8}


def test_a_module_that_torch_saved(tmp_path: Path) -> None:
    whole = content()["net"]
    torch.save(whole, tmp_path / "x")
    (state,) = read_checkpoint(tmp_path / "x", classes=CLASSES).states
    same(state.tensors, whole.state_dict())


def test_tensors_in_a_plain_pickle_need_no_classes(tmp_path: Path) -> None:
    state = {
        "a": torch.randn(3, 4)[:, 1],
        "b": torch.tensor([], dtype=torch.int64),
        "c": torch.ones(70, dtype=torch.bfloat16),
        "d": nn.Parameter(torch.randn(100)),
    }
    (found,) = read_checkpoint(written(tmp_path / "x", collections.OrderedDict(state))).states
    same(found.tensors, {name: tensor.detach() for name, tensor in state.items()})


def test_a_shared_module_has_both_names(tmp_path: Path) -> None:
    shared = nn.Linear(2, 2)
    net = nn.Sequential(shared, shared)
    (found,) = read_checkpoint(written(tmp_path / "x", {"net": net}), classes=CLASSES).states
    assert found.tensors["0.weight"].data_ptr() == found.tensors["1.weight"].data_ptr()
    same(found.tensors, net.state_dict())


def test_a_class_that_is_not_on_the_list_is_refused_by_name(tmp_path: Path) -> None:
    path = written(tmp_path / "x", content())
    for missing in sorted(CLASSES):
        with pytest.raises(HostileFileError) as caught:
            read_checkpoint(path, classes=CLASSES - {missing})
        assert caught.value.names == (missing,)
    with pytest.raises(HostileFileError):
        read_checkpoint(path, classes={name.rpartition(".")[0] for name in CLASSES} | {"torch.nn"})  # no prefixes


def test_an_object_that_is_no_module_stays_a_record(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(START + dict_of(text("o"), call("a.B") + dict_of(text("x"), number(1)) + b"b") + b".")
    with pytest.raises(CheckpointError, match="no named tensors"):
        read_checkpoint(tmp_path / "x", classes={"a.B"})


# --- hostile -----------------------------------------------------------------------------------------------------------


class Payload:
    """Reduces to a call that would leave a file behind."""

    def __init__(self, function: Any, *args: Any) -> None:
        self.call = function, args

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self.call


class StorageWithPayload:
    """A storage whose bytes ask for something else."""

    def __init__(self, command: str) -> None:
        parts = [LEGACY_MAGIC, LEGACY_PROTOCOL, Payload(os.system, command)]
        self.data = b"".join(pickle.dumps(part, 2) for part in parts) + LEGACY

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return torch.storage._load_from_bytes, (self.data,)


def in_a_module(payload: Any) -> Any:
    net = network()
    net._forward_hooks.clear()
    net.extra = payload
    return {"net": net}


HOSTILE: dict[str, Callable[[str], Any]] = {
    "beside": lambda command: {**content(), "x": Payload(os.system, command)},
    "an attribute": lambda command: in_a_module(Payload(os.system, command)),
    "an optimiser": lambda command: {**content(), "opt": {"state": Payload(os.system, command), "param_groups": []}},
    "a storage": lambda command: {**content(), "x": StorageWithPayload(command)},
    "eval": lambda command: {**content(), "x": Payload(eval, f"__import__('os').system({command!r})")},
    "getattr": lambda command: {**content(), "x": Payload(getattr, "os", "system")},
}


@pytest.mark.parametrize("place", HOSTILE)
def test_code_anywhere_is_refused_and_not_run(place: str, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    path = written(tmp_path / "x", HOSTILE[place](f"touch {trace}"))
    with pytest.raises(HostileFileError, match=r"posix\.system|builtins\."):
        read_checkpoint(path, classes=CLASSES)
    assert not trace.exists()


def test_the_payloads_are_real(tmp_path: Path) -> None:
    path = written(tmp_path / "x", HOSTILE["an attribute"](f"touch {tmp_path / 'trace'}"))
    pickle.loads(path.read_bytes())
    assert (tmp_path / "trace").exists()


def module(children: bytes = b"}", parameters: bytes = b"}", buffers: bytes = b"}", transient: bytes = b"\x8f") -> bytes:
    state = dict_of(
        *(text("_parameters"), parameters, text("_buffers"), buffers),
        *(text("_modules"), children, text("_non_persistent_buffers_set"), transient),
    )
    return call("a.B") + state + b"b"


def blob(data: bytes) -> bytes:
    return call("torch.storage._load_from_bytes", b"B" + len(data).to_bytes(4, "little") + data)


def parameter(data: bytes = LEGACY) -> bytes:
    return call(
        "torch._utils._rebuild_tensor_v2", blob(data), number(0), tuple_of(number(4)), tuple_of(number(1)), b"\x89", b"N"
    )


def shared_twice(levels: int) -> bytes:
    """A module with one module under two names, which has one under two names, and so on."""
    program = module(parameters=dict_of(text("w"), parameter()))
    for i in range(levels):
        place = (100 + i).to_bytes(4, "little")
        program = module(dict_of(text("a"), program + b"r" + place, text("b"), b"j" + place))
    return program


NONSENSE = {
    "a child that is no module": module(children=dict_of(text("c"), number(1))),
    "children that are a list": module(children=b"]"),
    "a parameter that is no tensor": module(parameters=dict_of(text("p"), text("x"))),
    "a name that is no text": module(parameters=dict_of(number(1), number(1))),
    "two tensors of one name": module(parameters=dict_of(text("p"), parameter()), buffers=dict_of(text("p"), parameter())),
    "a set that is none": module(transient=number(3)),
    "bytes that are no storage": parameter(b"x" * 200),
    "a storage that is a number": parameter(pickle.dumps("x" * 100, 2)),
    "a storage of something else": parameter(LEGACY.replace(b"tq\x04Q.", b"tq\x04.")),
    "no bytes at all": call("torch.storage._load_from_bytes", number(3)),
    "a storage cut short": parameter(LEGACY[:-1]),
    "a storage without its numbers": parameter(LEGACY[:-24]),
    "names without end": shared_twice(20),
    "itself": call("a.B")
    + b"q\x00"
    + dict_of(text("_parameters"), b"}", text("_buffers"), b"}", text("_modules"), dict_of(text("c"), b"h\x00"))
    + b"b",
}


@pytest.mark.parametrize("what", NONSENSE)
def test_nonsense_is_refused_in_words(what: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(START + dict_of(text("net"), NONSENSE[what]) + b".")
    with pytest.raises(CorruptFileError, match="damaged"):
        read_checkpoint(tmp_path / "x", classes={"a.B"})


def test_what_is_in_a_storage_cannot_reach_beyond_it(tmp_path: Path) -> None:
    """The count of a storage says more than its own bytes have; the file goes on after them."""
    longer = LEGACY.replace(b"K\x04Ntq", b"K\x05Ntq").replace((4).to_bytes(8, "little"), (5).to_bytes(8, "little"))
    assert longer != LEGACY
    (tmp_path / "x").write_bytes(START + dict_of(text("w"), parameter(longer), text("x"), parameter()) + b"." + bytes(100))
    with pytest.raises(CorruptFileError, match="5 elements"):
        read_checkpoint(tmp_path / "x")


def test_many_names_for_few_tensors_are_counted(tmp_path: Path) -> None:
    for levels, count in ((10, 2**10), (20, None)):
        (tmp_path / "x").write_bytes(START + dict_of(text("net"), shared_twice(levels)) + b".")
        if count is None:
            with pytest.raises(CorruptFileError, match="more than 20[0-9]{3} tensors"):
                read_checkpoint(tmp_path / "x", classes={"a.B"})
        else:
            (state,) = read_checkpoint(tmp_path / "x", classes={"a.B"}).states
            assert len(state.tensors) == count


def test_a_name_of_absurd_length_is_refused(tmp_path: Path) -> None:
    for length, fits in ((400 // 8, True), (600 // 8, False)):
        program = module(parameters=dict_of(text("w"), parameter()))
        for _ in range(8):
            program = module(dict_of(text("n" * length), program))
        (tmp_path / "x").write_bytes(START + dict_of(text("net"), program) + b".")
        if fits:
            assert read_checkpoint(tmp_path / "x", classes={"a.B"}).states
        else:
            with pytest.raises(CorruptFileError, match="make no sense"):
                read_checkpoint(tmp_path / "x", classes={"a.B"})


def test_the_state_of_an_optimiser_is_not_even_looked_at(tmp_path: Path) -> None:
    def program(key: str) -> bytes:
        damaged = dict_of(text(key), dict_of(number(0), parameter(LEGACY[:-1])), text("param_groups"), b"]")
        return START + dict_of(text("w"), parameter(), text("opt"), damaged) + b"."

    (tmp_path / "x").write_bytes(program("state"))
    (state,) = read_checkpoint(tmp_path / "x").states
    assert state.tensors["w"].tolist() == [1, 1, 1, 1]
    (tmp_path / "x").write_bytes(program("other"))
    with pytest.raises(CorruptFileError):
        read_checkpoint(tmp_path / "x")


def test_deep_modules_are_refused(tmp_path: Path) -> None:
    deep = module()
    for _ in range(200):
        deep = module(dict_of(text("m"), deep))
    (tmp_path / "x").write_bytes(START + dict_of(text("net"), deep) + b".")
    with pytest.raises(CorruptFileError, match="deep"):
        read_checkpoint(tmp_path / "x", classes={"a.B"})


def test_damaged_files_end_in_a_checkpoint_error(tmp_path: Path) -> None:
    chance = random.Random(0)
    whole = pickle.dumps(content(), 4)
    read = 0
    for _ in range(600):
        data = bytearray(whole)
        for _ in range(chance.randrange(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        (tmp_path / "x").write_bytes(data[: chance.choice((len(data), chance.randrange(1, len(data))))])
        try:
            read += len(read_checkpoint(tmp_path / "x", classes=CLASSES).states)
        except CheckpointError:
            continue
    assert read > 50


def anonymous() -> int:
    """Bytes of this process that are no part of a file."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("RssAnon"))
    return int(line.split()[1]) * 1024


def test_memory_stays_below_the_size_of_the_file(tmp_path: Path) -> None:
    size = 96 * 2**20
    net = nn.Sequential(*(nn.Linear(2048, 2048, bias=False) for _ in range(6)))
    optimiser = {"state": {0: {"exp_avg": torch.zeros(size // 8)}}, "param_groups": []}
    path = written(tmp_path / "x", {"net": net, "opt": optimiser})
    assert path.stat().st_size > size * 1.4
    wanted = net.state_dict()
    before = anonymous()
    (state,) = read_checkpoint(path, classes=CLASSES).states
    assert anonymous() - before < 1.1 * size  # the weights at most once, the optimiser not at all
    same(state.tensors, wanted)

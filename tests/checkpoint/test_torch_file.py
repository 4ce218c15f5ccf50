"""Files of torch.save mean here what they mean to torch.load, bit by bit; what does not add up is refused at no cost."""

import collections
import itertools
import os
import pickle
import struct
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ganzoo.checkpoint import convert, read_checkpoint
from ganzoo.checkpoint.pickle_state import Record
from ganzoo.checkpoint.torch_file import LEGACY_MAGIC, read_pickle, read_torch_zip
from ganzoo.checkpoint.zip_file import check_sums
from ganzoo.errors import CheckpointError, CorruptFileError, HostileFileError
from ganzoo_dcgan import ganzoo_architectures
from tests.checkpoint.assembler import (
    EMPTY,
    FOUR_ONES,
    NESTED,
    asks,
    call,
    dict_of,
    doubled,
    number,
    storage,
    tensor,
    text,
    tuple_of,
    zip_file,
)

DTYPES = [
    *(torch.float16, torch.float32, torch.float64, torch.bfloat16, torch.complex64, torch.complex128, torch.bool),
    *(torch.uint8, torch.uint16, torch.uint32, torch.uint64, torch.int8, torch.int16, torch.int32, torch.int64),
    *(torch.float8_e4m3fn, torch.float8_e4m3fnuz, torch.float8_e5m2, torch.float8_e5m2fnuz),
]


def bits(dtype: torch.dtype) -> Tensor:
    raw = torch.randint(0, 2 if dtype == torch.bool else 256, (3, 4 * dtype.itemsize), dtype=torch.uint8)
    return raw.view(dtype)


def trained() -> dict[str, Any]:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(144, 2))
    optimiser = torch.optim.Adam(network.parameters())
    network(torch.randn(2, 3, 8, 8)).sum().backward()
    optimiser.step()
    scheduler = torch.optim.lr_scheduler.StepLR(optimiser, 3)
    return {"net": network.state_dict(), "opt": optimiser.state_dict(), "scheduler": scheduler.state_dict(), "epoch": 3}


def contents() -> dict[str, Any]:
    torch.manual_seed(0)
    base = torch.randn(20, 4)
    parameter, noted = nn.Parameter(torch.ones(3)), torch.ones(3)
    parameter.tag, noted.note = "x", 5  # type: ignore[attr-defined]
    return {
        "dtypes": {str(dtype): bits(dtype) for dtype in DTYPES},
        "views": {
            "rows": base[3:5],
            "column": base[:, 1],
            "t": base.t(),
            "steps": base[::2, ::2],
            "all": base,
            "end": base[20:],
        },
        "channels last": {"w": torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last)},
        "parameters": {"p": parameter, "frozen": nn.Parameter(torch.ones(2), requires_grad=False), "noted": noted},
        "empty": {"a": torch.empty(0), "b": torch.empty(2, 0, 3), "scalar": torch.tensor(2.0)},
        "training": trained(),
        "containers": {
            "list": [[[]], {}, (), (1, 2.5, "ü😀", -(2**31), 2**40, -(2**100), True, None, b"bytes\xff", complex(1, 2))],
            "ordered": collections.OrderedDict(a=torch.ones(1), b=2),
            "size": torch.Size([2, 3]),
            "dtype": torch.float16,
        },
    }


def same(expected: Any, found: Any) -> None:
    if isinstance(expected, Tensor):
        assert isinstance(found, Tensor)
        for value in ("dtype", "shape"):
            assert getattr(found, value) == getattr(expected, value)
        assert found.stride() == expected.stride()
        a, b = (each.detach().contiguous().flatten().view(torch.uint8) for each in (expected, found))
        assert torch.equal(a, b)
    elif isinstance(expected, dict):
        assert isinstance(found, dict)
        assert list(found) == list(expected)
        for key in expected:
            same(expected[key], found[key])
    elif isinstance(expected, list | tuple):
        assert type(found) is type(expected)
        for one, other in zip(expected, found, strict=True):
            same(one, other)
    else:
        assert type(found) is type(expected)
        assert found == expected


READERS = {True: read_torch_zip, False: read_pickle}


@pytest.mark.parametrize(("protocol", "as_zip"), list(itertools.product((2, 3, 4, 5), (True, False))))
@pytest.mark.parametrize("name", list(contents()))
def test_what_is_read_is_what_was_saved(name: str, protocol: int, as_zip: bool, tmp_path: Path) -> None:
    content = contents()[name]
    torch.save(content, tmp_path / "x", pickle_protocol=protocol, _use_new_zipfile_serialization=as_zip)
    found = READERS[as_zip](tmp_path / "x")
    same(content, found)
    # torch's own restricted reader reads no other protocol, no attributes, and not the newer dtypes in legacy files
    if protocol == 2 and name != "parameters" and (as_zip or name != "dtypes"):
        same(torch.load(tmp_path / "x", weights_only=True), found)


@pytest.mark.parametrize("as_zip", [True, False])
def test_what_shares_memory_goes_on_sharing_it(as_zip: bool, tmp_path: Path) -> None:
    weight = torch.randn(6)
    torch.save({"a": weight, "tied": weight, "view": weight[2:4]}, tmp_path / "x", _use_new_zipfile_serialization=as_zip)
    tensors = read_checkpoint(tmp_path / "x").states[0].tensors
    assert tensors["a"].data_ptr() == tensors["tied"].data_ptr()
    tensors["a"].fill_(7)
    assert tensors["view"].tolist() == [7, 7]


def test_numpy_values_are_numbers_or_inert(tmp_path: Path) -> None:
    values = {"f8": np.float64(2.5), "f4": np.float32(1.5), "i8": np.int64(-3), "u1": np.uint8(7), "b": np.bool_(True)}
    content = {"w": torch.ones(1), **values, "date": np.datetime64("2020-01-01"), "array": np.arange(3)}
    torch.save(content, tmp_path / "x")
    found = read_torch_zip(tmp_path / "x")
    assert {key: found[key] for key in values} == {"f8": 2.5, "f4": 1.5, "i8": -3, "u1": 7, "b": True}
    assert isinstance(found["date"], Record)
    assert isinstance(found["array"], Record)
    assert read_checkpoint(tmp_path / "x").metadata["f8"] == 2.5


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (lambda: torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8), "quantised"),
        (lambda: torch.eye(2).to_sparse(), "sparse"),
        (lambda: torch.empty(2, device="meta"), "meta"),
        (lambda: torch.ones(2, dtype=torch.complex64).conj(), "conjugated"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_tensors_without_plain_data_are_refused_by_kind(content: Callable[[], Tensor], word: str, tmp_path: Path) -> None:
    torch.save({"w": content()}, tmp_path / "x")
    with pytest.raises(CheckpointError, match=word):
        read_checkpoint(tmp_path / "x")


# --- hostile -----------------------------------------------------------------------------------------------------------


def bounded(*paths: Path, seconds: int = 15, megabytes: int = 600) -> list[str]:
    """What comes of reading each file, in a process of its own that may use only so much time (for each) and memory."""
    code = (
        "import resource, signal, sys, torch\n"
        "from ganzoo.checkpoint import read_checkpoint\n"
        "from ganzoo.errors import CheckpointError\n"
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        f"resource.setrlimit(resource.RLIMIT_AS, (used + {megabytes} * 2**20,) * 2)\n"
        "for path in sys.argv[1:]:\n"
        f"    signal.alarm({seconds})\n"
        "    try:\n        print('read', len(read_checkpoint(path).metadata))\n"
        "    except CheckpointError as e:\n        print(type(e).__name__)\n"
    )
    command = [sys.executable, "-c", code, *map(str, paths)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr[-500:])
    return done.stdout.splitlines()


def hex_of_hex(levels: int) -> bytes:
    program = text("a")
    for _ in range(levels):
        program = call("_codecs.encode", program, text("hex"))
    return program


BOMBS = {
    "a deep tuple": dict_of(text("a"), EMPTY + NESTED * 1_000_000),
    "a deep tuple as a key": dict_of(EMPTY + NESTED * 1_000_000, number(1)),
    "a doubled tuple as a key": dict_of(doubled(60), number(1)),
    "a doubled tuple in an OrderedDict": call("collections.OrderedDict", b"](" + doubled(60) + b"N\x86e"),
    "a bytearray of gigabytes": dict_of(text("a"), call("builtins.bytearray", number(6 * 10**9))),
    "nested hex": dict_of(text("a"), hex_of_hex(32)),
    "a tensor out of nothing": dict_of(text("a"), call("torch.Tensor", number(50000), number(50000))),
    "a storage out of nothing": dict_of(text("a"), call("torch.FloatStorage", number(10**9))),
    "a wide view of a small storage": dict_of(text("a"), tensor(size=(10**5, 10**5), stride=(0, 0))),
    "a wide view that overlaps": dict_of(text("a"), tensor(size=(2, 4), stride=(0, 1))),
    "very many objects": b"](" + b"]" * 1_900_000 + b"e",
}


def long_keys() -> bytes:
    """100 000 values at a place whose name alone has 3.5 kB."""
    numbers = b"}(" + b"".join(b"J" + struct.pack("<i", i) + b"K\x01" for i in range(100_000)) + b"u"
    return dict_of(text("w"), tensor(), text("x"), (b"}" + text("k" * 500)) * 7 + numbers + b"s" * 7)


def test_bombs_cost_little_time_and_memory(tmp_path: Path) -> None:
    paths = [zip_file(tmp_path / what, program) for what, program in BOMBS.items()]
    keys = zip_file(tmp_path / "long keys", long_keys())
    assert bounded(*paths, keys) == ["CorruptFileError"] * len(paths) + ["read 10000"]


NONSENSE = {
    "elements before the storage": dict_of(text("a"), tensor(offset=-1)),
    "elements behind it": dict_of(text("a"), tensor(offset=1)),
    "a huge shape": dict_of(text("a"), tensor(size=(10**9,))),
    "a huge empty shape": dict_of(text("a"), tensor(size=(2**63, 0), stride=(1, 1))),
    "negative strides": dict_of(text("a"), tensor(stride=(-1,))),
    "too few strides": dict_of(text("a"), tensor(stride=())),
    "very many dimensions": dict_of(text("a"), tensor(size=(1,) * 65, stride=(1,) * 65)),
    "a storage of negative size": dict_of(text("a"), tensor(storage(elements=-4))),
    "a storage of another size": dict_of(text("a"), tensor(storage(elements=3))),
    "a storage that is not there": dict_of(text("a"), tensor(storage(key="../../0"))),
    "a storage of an unknown kind": dict_of(text("a"), tensor(storage(kind="torch.storage.TypedStorage"))),
    "a view of more than there is": dict_of(text("a"), tensor(storage(view=tuple_of(text("v"), number(1), number(4))))),
    "no storage at all": dict_of(text("a"), tensor(number(3))),
    "an id that is no id": dict_of(text("a"), b"]Q"),
    "state for a tensor": dict_of(text("a"), tensor() + b"}b"),
    "values appended to a dict": call("collections.OrderedDict") + tuple_of(number(1), number(2)) + b"a",
    "a parameter of a number": dict_of(text("a"), call("torch._utils._rebuild_parameter", number(3), b"\x89", b"N")),
    "a list in a tuple in itself": b"]q\x01h\x01\x85q\x02ah\x02" + call("torch.Size", b"h\x02"),
    "a subclass of nothing": dict_of(text("a"), call("torch._tensor._rebuild_from_type_v2", number(1), number(2), EMPTY, b"N")),
}


@pytest.mark.parametrize("what", NONSENSE)
def test_nonsense_is_refused_in_words(what: str, tmp_path: Path) -> None:
    with pytest.raises(CorruptFileError):
        read_checkpoint(zip_file(tmp_path / "x", NONSENSE[what]))


@pytest.mark.parametrize("attribute", ["items", "values", "detach", "untyped_storage", "shape"])
def test_state_never_becomes_an_attribute(attribute: str, tmp_path: Path) -> None:
    state = dict_of(text(attribute), number(1))
    parameter = call("torch._utils._rebuild_parameter_with_state", tensor(), b"\x89", call("collections.OrderedDict"), state)
    program = call("collections.OrderedDict") + text("a") + parameter + b"s" + state + b"b"
    (found,) = read_checkpoint(zip_file(tmp_path / "x", program)).states
    assert found.tensors["a"].tolist() == [1, 1, 1, 1]


def test_what_contains_itself_is_walked_once(tmp_path: Path) -> None:
    program = b"}q\x00(" + text("self") + b"h\x00" + text("list") + b"]q\x01h\x01a" + text("w") + tensor() + b"u"
    (found,) = read_checkpoint(zip_file(tmp_path / "x", program)).states
    assert list(found.tensors) == ["w"]


def test_two_keys_of_one_name(tmp_path: Path) -> None:
    program = dict_of(number(1), tensor(), text("1"), tensor())
    with pytest.raises(CorruptFileError, match="named '1'"):
        read_checkpoint(zip_file(tmp_path / "x", program))


def test_very_many_state_dicts(tmp_path: Path) -> None:
    program = tensor() + b"q\x00](" + b"".join(dict_of(text("w"), b"h\x00") for _ in range(1100)) + b"e"
    with pytest.raises(CorruptFileError, match="more than 1000 state dicts"):
        read_checkpoint(zip_file(tmp_path / "x", program))


@pytest.mark.parametrize("flag", [0x1, 0x20, 0x40, 0x2000])
@pytest.mark.parametrize("header", [(b"PK\x01\x02", 8), (b"PK\x03\x04", 6)])
def test_a_scrambled_record_is_refused(flag: int, header: tuple[bytes, int], tmp_path: Path) -> None:
    path = zip_file(tmp_path / "x", dict_of(text("a"), tensor()))
    content = bytearray(path.read_bytes())
    at = content.find(header[0]) + header[1]
    content[at : at + 2] = struct.pack("<H", flag)
    path.write_bytes(content)
    with pytest.raises(CorruptFileError):
        read_checkpoint(path)


@pytest.mark.parametrize(("order", "error"), [(b"big", CheckpointError), (b"\xff", CorruptFileError), (b"little", None)])
def test_the_order_of_bytes(order: bytes, error: type[Exception] | None, tmp_path: Path) -> None:
    path = zip_file(tmp_path / "x", dict_of(text("a"), tensor()), {"data/0": FOUR_ONES, "byteorder": order})
    if error is None:
        assert read_checkpoint(path).states
        return
    with pytest.raises(error, match=r"big-endian|byte order"):
        read_checkpoint(path)


def flipped(path: Path, marker: bytes) -> None:
    content = bytearray(path.read_bytes())
    content[content.find(marker) + 1] ^= 0x40
    path.write_bytes(content)


def test_checksums_are_compared_when_converting(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    D = {"main.0.weight": torch.randn(4, 1, 4, 4), "main.2.weight": torch.randn(1, 4, 4, 4)}
    torch.save(D, path)
    check_sums(path)
    flipped(path, D["main.0.weight"].numpy().tobytes()[:16])
    with pytest.raises(CorruptFileError, match=r"data/0.*checksum"):
        check_sums(path)
    architectures = [("dcgan", architecture) for architecture in ganzoo_architectures()]
    with pytest.raises(CorruptFileError, match="checksum"):
        convert(path, tmp_path / "out", architectures)
    assert not (tmp_path / "out").exists()


def test_the_pickles_own_checksum_is_always_compared(tmp_path: Path) -> None:
    path = zip_file(tmp_path / "x", dict_of(text("a"), tensor()))
    flipped(path, b"storage")
    with pytest.raises(CorruptFileError, match="checksum"):
        read_checkpoint(path)


def test_files_that_were_saved_without_checksums(tmp_path: Path) -> None:
    torch.serialization.set_crc32_options(False)
    try:
        torch.save({"a": torch.ones(3)}, tmp_path / "x")
    finally:
        torch.serialization.set_crc32_options(True)
    check_sums(tmp_path / "x")
    assert read_checkpoint(tmp_path / "x").states[0].tensors["a"].tolist() == [1, 1, 1]


# --- the legacy format -------------------------------------------------------------------------------------------------


def legacy(path: Path, program: bytes, keys: list[str], data: bytes = b"", **machine: Any) -> Path:
    parts = [LEGACY_MAGIC, 1001, {"protocol_version": 1001, "little_endian": True, **machine}]
    head = b"".join(pickle.dumps(part, 2) for part in parts)
    path.write_bytes(head + b"\x80\x02" + program + b"." + pickle.dumps(keys, 2) + data)
    return path


COUNTED = struct.pack("<q", 4) + FOUR_ONES
WITH_VIEW = dict_of(text("a"), tensor(storage(view=tuple_of(text("v"), number(1), number(2))), size=(2,)))
ONE = dict_of(text("a"), tensor(storage(view=b"N")))


def test_a_view_of_a_legacy_storage(tmp_path: Path) -> None:
    data = struct.pack("<q", 4) + struct.pack("<4f", 1, 2, 3, 4)
    assert read_pickle(legacy(tmp_path / "x", WITH_VIEW, ["0"], data))["a"].tolist() == [2, 3]


@pytest.mark.parametrize(
    ("program", "keys", "data"),
    [
        (ONE, [], b""),
        (ONE, ["0"], struct.pack("<q", 4) + FOUR_ONES[:-1]),
        (ONE, ["0"], struct.pack("<q", 5) + bytes(20)),
        (ONE, ["0"], struct.pack("<q", -4) + FOUR_ONES),
        (ONE, ["0", "0"], COUNTED * 2),
        (ONE, ["0", "1"], COUNTED * 2),
        (dict_of(text("a"), tensor(storage(elements=2 * 10**9, view=b"N"), size=(2 * 10**9,))), [], b""),
        (dict_of(text("a"), tensor(storage(view=b"N"), size=(2 * 10**9,))), ["0"], COUNTED),
        (dict_of(text("a"), tensor(storage(view=tuple_of(text("v"), number(3), number(2))), size=(2,))), ["0"], COUNTED),
    ],
)
def test_legacy_storages_are_compared_with_the_file(program: bytes, keys: list[str], data: bytes, tmp_path: Path) -> None:
    with pytest.raises(CorruptFileError):
        read_checkpoint(legacy(tmp_path / "x", program, keys, data))


def test_a_legacy_file_of_the_other_byte_order(tmp_path: Path) -> None:
    assert read_pickle(legacy(tmp_path / "x", ONE, ["0"], COUNTED))["a"].tolist() == [1, 1, 1, 1]
    with pytest.raises(CheckpointError, match="big-endian"):
        read_checkpoint(legacy(tmp_path / "x", ONE, ["0"], COUNTED, little_endian=False))


def test_code_in_any_of_the_legacy_pickles_is_seen(tmp_path: Path) -> None:
    whole = legacy(tmp_path / "x", ONE, ["0"], COUNTED).read_bytes()
    payload = b"\x80\x02" + call("posix.system", text("id")) + b"."
    for part in ({"little_endian": True}, ["0"]):
        found = pickle.dumps(part if isinstance(part, list) else {"protocol_version": 1001, **part}, 2)
        assert found in whole
        (tmp_path / "y").write_bytes(whole.replace(found, payload))
        with pytest.raises(HostileFileError, match=r"posix\.system"):
            read_checkpoint(tmp_path / "y")


# --- memory and threads ------------------------------------------------------------------------------------------------


def test_a_zip_is_mapped_and_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.pt"
    torch.save({"w": torch.zeros(64 * 2**20 // 4)}, path)
    before = resident()
    tensors = read_checkpoint(path).states[0].tensors
    assert resident() - before < 16 * 2**20
    assert str(path) in Path("/proc/self/maps").read_text()
    assert tensors["w"].shape == (2**24,)


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.fixture
def impatient() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("impatient")
def test_many_threads_read_at_once(tmp_path: Path) -> None:
    torch.save({"fid": np.float64(3), "w": torch.ones(3)}, tmp_path / "x")
    allowed = torch.serialization.get_safe_globals()
    done: list[float] = []

    def read() -> None:
        done.extend(read_checkpoint(tmp_path / "x").metadata["fid"] for _ in range(30))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [3.0] * 120
    assert torch.serialization.get_safe_globals() == allowed


def test_an_index_of_absurd_length_is_not_loaded(tmp_path: Path) -> None:
    path = zip_file(tmp_path / "x", dict_of(text("a"), tensor()))
    content = path.read_bytes()
    at = content.rfind(b"PK\x05\x06")
    index = struct.unpack("<I", content[at + 16 : at + 20])[0]
    padding = bytes(20 * 2**20)
    end = content[at : at + 12] + struct.pack("<II", at - index + len(padding), index) + content[at + 20 :]
    path.write_bytes(content[:at] + padding + end)
    with pytest.raises(CorruptFileError, match="absurdly long"):
        read_checkpoint(path)


def test_names_are_asked_for_but_never_imported(tmp_path: Path) -> None:
    path = zip_file(tmp_path / "x", dict_of(text("a"), asks("antigravity.fly")))
    with pytest.raises(HostileFileError, match=r"antigravity\.fly"):
        read_checkpoint(path)
    assert "antigravity" not in sys.modules


def test_a_zip_inside_whose_names_lead_elsewhere(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x", "w") as archive:
        archive.writestr("../data.pkl", b"\x80\x02" + dict_of(text("a"), tensor()) + b".")
        archive.writestr("../data/0", FOUR_ONES)
    assert read_checkpoint(tmp_path / "x").states[0].tensors["a"].tolist() == [1, 1, 1, 1]
    assert list(tmp_path.iterdir()) == [tmp_path / "x"]


def test_an_ordered_dict_of_python_2(tmp_path: Path) -> None:
    pair = b"](" + text("a") + tensor() + b"e"
    program = call("collections.OrderedDict", b"](" + pair + b"e")
    assert read_checkpoint(zip_file(tmp_path / "x", program)).states[0].tensors["a"].tolist() == [1, 1, 1, 1]


def test_the_oldest_description_of_a_tensor(tmp_path: Path) -> None:
    old = call("torch._utils._rebuild_tensor", storage(), number(1), tuple_of(number(2)), tuple_of(number(2)))
    parameter = call("torch._utils._rebuild_parameter", old, b"\x88", call("collections.OrderedDict"))
    read = read_torch_zip(zip_file(tmp_path / "x", dict_of(text("a"), parameter), {"data/0": struct.pack("<4f", 1, 2, 3, 4)}))
    assert read["a"].tolist() == [2, 4]

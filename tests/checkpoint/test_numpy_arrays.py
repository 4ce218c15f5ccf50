"""Arrays in pickles mean here what they mean to Python's pickle; what does not add up, or is code, is refused unexecuted."""

import pickle
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ganzoo.checkpoint.numpy_arrays import MAX_ARRAYS, read_arrays
from ganzoo.errors import CorruptFileError, HostileFileError
from tests.checkpoint.assembler import START, asks, call, number, text, tuple_of
from tests.support.packs import GOLDEN
from tests.text.target_params import python_2, python_3

RECONSTRUCT = "numpy.core.multiarray._reconstruct"


def write(path: Path, program: bytes) -> Path:
    path.write_bytes(START + b"](" + program + b"e.")
    return path


def array(
    content: bytes = b"C\x08" + bytes(8),
    size: tuple[int, ...] = (2,),
    code: str = "f4",
    order: str = "<",
    made: str = RECONSTRUCT,
) -> bytes:
    """The opcodes of one array."""
    shell = call(made, asks("numpy.ndarray"), tuple_of(number(0)), text("b"))
    dtype = call("numpy.dtype", text(code), b"\x89", b"\x88") + tuple_of(number(3), text(order)) + b"b"
    return shell + tuple_of(number(1), tuple_of(*map(number, size)), dtype, b"\x89", content) + b"b"


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4", "i8", "u1", "?"])
def test_arrays_come_back_bit_by_bit(tmp_path: Path, protocol: int, dtype: str) -> None:
    numbers = np.arange(60)[::-1].reshape(3, 4, 5).astype(dtype)
    given = [numbers, np.asfortranarray(numbers), numbers[0, 0], np.array(7, dtype), numbers[:, 1]]
    found = read_arrays(python_3(tmp_path / "a.pkl", given, protocol))
    assert len(found) == len(given)
    for a, b in zip(given, found, strict=True):
        assert (b.shape, b.dtype) == (a.shape, a.dtype.newbyteorder("="))
        assert np.array_equal(a, b)
        assert b.flags.writeable


def test_what_python_2_wrote_is_read_like_what_python_3_wrote(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    texts = np.frombuffer(b"only letters" + b"quote'back\\\n\x00\x01\x7f\t\r   ", "<f4")  # bytes that happen to be a text too
    given = [rng.standard_normal((7, 3)).astype("f4"), rng.standard_normal(5).astype("f4"), texts]
    path = python_2(tmp_path / "a.pkl", given)
    with path.open("rb") as stream:
        meant = pickle.load(stream, encoding="latin1")
    found = read_arrays(path)
    for a, b, c in zip(given, found, meant, strict=True):
        assert np.array_equal(a.view("u4"), b.view("u4"))
        assert np.array_equal(a.view("u4"), c.view("u4"))


def test_a_pickle_that_would_run_a_command_is_refused_and_not_run(tmp_path: Path) -> None:
    traces = [Path(tempfile.gettempdir()) / "ganzoo_pwned", tmp_path / "pwned"]
    assert not any(trace.exists() for trace in traces)
    hostile = write(tmp_path / "a.pkl", array() + call("posix.system", text(f"touch {traces[1]}")))
    for path in (GOLDEN / "malicious.pkl", hostile):
        with pytest.raises(HostileFileError) as caught:
            read_arrays(path)
        assert "posix.system" in caught.value.names
    assert not any(trace.exists() for trace in traces)


@pytest.mark.parametrize(
    "program",
    [
        call("builtins.eval", text("1")),
        call("numpy.load", text("x")),
        array(made="numpy.core.multiarray.fromfile"),
        call("numpy.testing._private.utils.runstring", text("1"), b"}"),
        array() + text("os") + text("system") + b"\x93" + tuple_of(text("true")) + b"R",
        b"\x82\x01",
    ],
)
def test_every_other_name_is_code(tmp_path: Path, program: bytes) -> None:
    with pytest.raises(HostileFileError, match="Nothing of it was executed"):
        read_arrays(write(tmp_path / "a.pkl", program))


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (array(size=(3,)), "8 bytes cannot have the shape"),
        (array(size=(-2,)), "its shape"),
        (array(size=(2**62, 2**62)), "cannot have the shape"),
        (array(size=(1,) * 20), "its shape"),
        (array(code="O8"), "'O8' is no plain number"),
        (array(code="V8"), "no plain number"),
        (array(order="?"), "no plain number"),
        (array(content=number(3)), "not plain bytes"),
        (array(content=call("_codecs.encode", text("ü"), text("rot13"))), "not plain bytes"),
        (array(content=call("_codecs.encode", text("€" * 8), text("latin1"))), "no plain array"),
        (array()[:-1], "no plain array"),
        (number(3), "one int"),
        (asks("numpy.ndarray"), "numpy.ndarray"),
        (call("torch.Size", tuple_of(number(1))), "torch.Size"),
    ],
)
def test_what_makes_no_sense_is_named(tmp_path: Path, program: bytes, words: str) -> None:
    with pytest.raises(CorruptFileError, match=words) as caught:
        read_arrays(write(tmp_path / "a.pkl", array() + program))
    assert "a.pkl" in str(caught.value)


def test_the_same_bytes_many_times_are_no_way_to_fill_the_memory(tmp_path: Path) -> None:
    content = b"B" + (2**20).to_bytes(4, "little") + bytes(2**20) + b"q\x00"
    more = array(content=b"h\x00", size=(2**18,))
    path = write(tmp_path / "a.pkl", array(content=content, size=(2**18,)) + more * 200)
    with pytest.raises(CorruptFileError, match="larger than the file"):
        read_arrays(path)


def test_a_list_is_not_endless(tmp_path: Path) -> None:
    with pytest.raises(CorruptFileError, match="no list of arrays"):
        read_arrays(write(tmp_path / "a.pkl", b"N" * (MAX_ARRAYS + 1)))


@pytest.mark.parametrize("value", [{"a": np.ones(2)}, np.ones(2), "text"])
def test_something_else_than_a_list(tmp_path: Path, value: Any) -> None:
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps(value, 3))
    with pytest.raises(CorruptFileError, match="no list of arrays"):
        read_arrays(path)


def test_cut_anywhere_it_is_refused_in_words(tmp_path: Path) -> None:
    for write_file in (lambda path, arrays: python_3(path, arrays, 3), python_2):
        whole = write_file(tmp_path / "whole.pkl", [np.arange(30, dtype="f4")]).read_bytes()
        start = time.process_time()
        for end in range(1, len(whole)):
            (tmp_path / "cut.pkl").write_bytes(whole[:end])
            with pytest.raises((CorruptFileError, HostileFileError)):
                read_arrays(tmp_path / "cut.pkl")
        assert time.process_time() - start < 20

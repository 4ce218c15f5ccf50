"""The machine reads every pickle as data, within limits, and needs neither PyTorch nor anything that a pickle names."""

import collections
import decimal
import mmap
import pickle
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ganzoo.checkpoint.pickle_machine import Limits, PickleError, run_pickle
from ganzoo.checkpoint.pickle_state import Blob, Record
from tests.checkpoint.assembler import EMPTY, NESTED, START, asks, call, dict_of, doubled, number, text, tuple_of

PLAIN = {
    "numbers": [0, 1, -1, 255, 256, 65535, 65536, -(2**31), 2**31, 2**63, -(2**200), 2.5, -0.0, float("inf")],
    "texts": ["", "x", "ü😀", "two\nlines", "back\\slash 'quoted' \"twice\"", "long" * 100],
    "bytes": [b"", b"\x00\xff'", b"long" * 16],
    "constants": [None, True, False],
    "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
    "nested": {"a": [{"b": ({},)}], 3: "c", None: 1, 2.5: 2, b"k": 3, ("x", 1): 4},
}


@pytest.mark.parametrize("protocol", range(6))
def test_plain_values_come_back_as_they_were(protocol: int) -> None:
    kept = {key: value for key, value in PLAIN.items() if key != "bytes" or protocol > 2}
    if protocol < 3:
        kept["nested"] = {key: value for key, value in PLAIN["nested"].items() if not isinstance(key, bytes)}  # type: ignore[attr-defined]
    assert run_pickle(pickle.dumps(kept, protocol)).value == kept


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_long_bytes_stay_where_they_are(protocol: int, tmp_path: Path) -> None:
    long = bytes(range(256)) * 400
    (tmp_path / "x").write_bytes(b"before" + pickle.dumps([long, "after", bytearray(long)][: 2 + (protocol == 5)], protocol))
    with (tmp_path / "x").open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        found = run_pickle(data, len(b"before"), Limits(size=1000))  # the long ones do not count
        blobs = [value for value in found.value if isinstance(value, Blob)]
        assert [data[blob.start : blob.start + blob.size] for blob in blobs] == [long] * (1 + (protocol == 5))
        assert found.value[1] == "after"
        with pytest.raises(PickleError, match="ends early"):
            run_pickle(data[:100_000], len(b"before"))


def test_a_size_is_a_limit_within_a_longer_file() -> None:
    for data in (pickle.dumps("x" * 50, 0), pickle.dumps(["x"] * 50, 2)):
        with pytest.raises(PickleError, match="too long"):
            run_pickle(data + bytes(1000), limits=Limits(size=len(data) - 1))
        assert run_pickle(data + bytes(1000), limits=Limits(size=len(data))).end == len(data)


def test_python_2_texts() -> None:
    assert run_pickle(b"(S'it\\'s \\x41\\n'\nU\x02\xc3\xbcT\x01\x00\x00\x00\xfft.").value == ("it's A\n", "ü", b"\xff")


@pytest.mark.parametrize("protocol", range(6))
def test_every_other_object_becomes_an_inert_record(protocol: int) -> None:
    found = run_pickle(pickle.dumps([decimal.Decimal("1.5"), collections.OrderedDict(a=1), {1}, print], protocol))
    number_, table, members, function = found.value
    assert (number_.name, number_.args) == ("decimal.Decimal", ("1.5",))
    assert (table.name, table.entries or dict(table.args[0])) == ("collections.OrderedDict", {"a": 1})
    assert (members.name, members.items or members.args[0]) == ("builtins.set", [1])
    assert (function.name, function.args) == ("builtins.print", None)
    assert {"decimal.Decimal", "collections.OrderedDict", "builtins.print"} <= set(found.names)


class Keywords:
    def __new__(cls, **_: Any) -> "Keywords":
        return super().__new__(cls)

    def __getnewargs_ex__(self) -> tuple[tuple[()], dict[str, int]]:
        return (), {"a": 1}

    def __getstate__(self) -> dict[str, int]:
        return {"state": 2}


def test_named_arguments_and_state_are_kept() -> None:
    record = run_pickle(pickle.dumps(Keywords(), 4)).value
    assert record.name == f"{__name__}.Keywords"
    assert (record.args, record.keywords, record.state) == ((), {"a": 1}, {"state": 2})


def test_ids_of_what_lies_outside() -> None:
    found = run_pickle(b"\x80\x02(Pline\nX\x01\x00\x00\x00aQt.")
    assert [record.args for record in found.persistent] == [("line",), ("a",)]
    assert found.value == found.persistent


def test_what_is_one_object_stays_one_and_may_contain_itself() -> None:
    value: list[Any] = [[1]]
    value += [value[0], value]
    read = run_pickle(pickle.dumps(value)).value
    assert read[0] is read[1]
    assert read[2] is read


def test_several_pickles_one_after_the_other() -> None:
    data = pickle.dumps("first", 2) + pickle.dumps("second", 4) + b"rest"
    first = run_pickle(data)
    second = run_pickle(data, first.end)
    assert (first.value, second.value, data[second.end :]) == ("first", "second", b"rest")


def test_a_long_record_does_not_fill_the_terminal() -> None:
    assert len(repr(Record("x" * 1000 + "\x1b"))) < 120


HOSTILE = {
    "steps": EMPTY * 2_100_000,
    "a deep tuple as a key": dict_of(EMPTY + NESTED * 1_000_000, number(1)),
    "a doubled tuple as a key": dict_of(doubled(60), number(1)),
    "a doubled tuple in a small key": dict_of(tuple_of(number(1), doubled(60)), number(1)),
    "a list as a key": dict_of(b"]", number(1)),
    "a record as a key": dict_of(asks("torch.Size"), number(1)),
    "a set's members are not hashed, a key is": b"\x8f(" + doubled(60) + b"\x90" + b"}" + doubled(60) + b"Ns",
    "a key of absurd length": dict_of(text("k" * 513), number(1)),
    "keys of one hash": dict_of(*(number((2**61 - 1) * i) + b"N" for i in range(1, 11_000))),
    "marks": b"(" * 200,
    "a long number": b"\x8b" + (10**6).to_bytes(4, "little") + bytes(10**6),
    "a long number in digits": b"I" + b"9" * 10**6 + b"\n",
    "names": b"".join(b"ca\n%d\n0" % i for i in range(11_000)),
    "a buffer from elsewhere": b"\x97",
    "an unknown opcode": b"\xff",
    "an empty stack": b"R",
    "a memo without it": b"h\x07",
    "state of a list": b"]}b",
    "items of a tuple": b"))a",
    "a call without arguments": asks("a.b") + b"NR",
    "half a pair": b"}(Nu",
    "text that is absurdly long": b"\x8d" + b"\xff" * 8,
    "text that is no text": b"Snot quoted\n",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_limits_and_nonsense_end_quickly(what: str) -> None:
    start = time.process_time()
    with pytest.raises(PickleError):
        run_pickle(START + HOSTILE[what] + b".")
    assert time.process_time() - start < 10


def test_a_pickle_that_is_too_long_or_ends_early_is_told_apart() -> None:
    data = pickle.dumps("x" * 2000)
    for limit, words in ((1000, "too long"), (len(data), None)):
        if words is None:
            assert run_pickle(data, limits=Limits(size=limit)).end == len(data)
        else:
            with pytest.raises(PickleError, match=words):
                run_pickle(data, limits=Limits(size=limit))
    for end in range(len(data)):
        with pytest.raises(PickleError, match="ends early"):
            run_pickle(data[:end])


def test_what_was_asked_for_is_known_even_when_the_pickle_breaks() -> None:
    with pytest.raises(PickleError) as caught:
        run_pickle(START + call("os.system", text("true")) + b"\xff")
    assert caught.value.names == ("os.system",)


def test_a_call_of_something_computed_is_a_name_too() -> None:
    found = run_pickle(START + call("builtins.getattr", text("a")) + EMPTY + b"R.")
    assert found.names == ("builtins.getattr", "<a function computed while loading>")


def test_half_a_surrogate_pair_is_spelt_out() -> None:
    for protocol in (0, 2, 4):
        assert run_pickle(pickle.dumps("a\ud800", protocol)).value.encode() == b"a\\xed\\xa0\\x80"


def test_random_programs_end_in_a_value_or_a_pickle_error() -> None:
    chance = random.Random(0)
    pieces = [bytes([code]) for code in range(256) if code != ord(".")]
    pieces += [text("a"), number(5), asks("os.system"), EMPTY, b"]", b"}", b"(", b"q\x00", b"h\x00", b"\x94", b"2", b"N"] * 12
    values = 0
    for _ in range(20_000):
        program = b"".join(chance.choice(pieces) for _ in range(chance.randrange(1, 30)))
        try:
            values += run_pickle(START + program + b".") is not None
        except PickleError:
            continue
    assert values > 100


def test_the_machine_needs_no_torch() -> None:
    code = (
        "import sys, ganzoo.checkpoint.pickle_machine\n"
        "assert not {'torch', 'numpy', 'pickle', 'pickletools'} & set(sys.modules), sorted(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_more_names_than_any_file_has() -> None:
    names = [asks(f"a.b{i}") for i in range(10_001)]
    assert len(run_pickle(START + b"(" + b"".join(names[:-1]) + b"l.").names) == 10_000
    with pytest.raises(PickleError, match="more than 10000 things"):
        run_pickle(START + b"(" + b"".join(names) + b"l.")

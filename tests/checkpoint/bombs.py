"""Programs of pickles that are small and would become large, for the tests of limits."""

import struct

import torch

from tests.checkpoint.assembler import EMPTY, NESTED, asks, call, dict_of, doubled, number, tensor, text, tuple_of

MANY = 2_000_000
STORAGE = torch.ones(4)._typed_storage().__reduce__()[1][0]
PERSISTENT = "torch_utils.persistence._reconstruct_persistent_obj"


def literal(raw: bytes) -> bytes:
    return b"B" + struct.pack("<I", len(raw)) + raw


def list_of(piece: bytes, count: int) -> bytes:
    return b"(" + piece * count + b"l"


def nested_storage() -> bytes:
    return call("torch.storage._load_from_bytes", literal(STORAGE))


def network(*modules: bytes, parameters: bytes = b"}", more: bytes = b"") -> bytes:
    parts = (text("_parameters"), parameters, text("_buffers"), b"}", text("_modules"), dict_of(*modules), more)
    return call(PERSISTENT, dict_of(text("class_name"), text("A"), text("state"), dict_of(*parts)))


def shared_twice(levels: int) -> bytes:
    """A network with the same network inside under two names, and so on."""
    program = network(parameters=dict_of(text("w"), tensor(nested_storage())))
    for i in range(levels):
        kept, again = b"r" + struct.pack("<I", 1000 + i) + b"0", b"j" + struct.pack("<I", 1000 + i)
        program += kept + network(text("a" * 20), again, text("b" * 20), again)
    return program


def one_storage_often(count: int) -> bytes:
    kept = asks("torch.storage._load_from_bytes") + b"q\x010" + tuple_of(literal(STORAGE)) + b"q\x030"
    return kept + list_of(b"h\x01h\x03R", count)


def one_tensor_often(count: int) -> bytes:
    arguments = tuple_of(b"h\x01", number(0), tuple_of(number(4)), tuple_of(number(1)), b"\x89", b"}")
    kept = nested_storage() + b"q\x010" + asks("torch._utils._rebuild_tensor_v2") + b"q\x020" + arguments + b"q\x030"
    return kept + list_of(b"h\x02h\x03R", count)


def many_wide_modules(parameters: int, modules: int) -> bytes:
    """A network that holds one wide network under many names."""
    kept = tensor(nested_storage()) + b"q\x010"
    wide = network(parameters=dict_of(*(part for i in range(parameters) for part in (text(f"p{i}"), b"h\x01")))) + b"q\x020"
    return kept + wide + network(*(part for i in range(modules) for part in (text(f"m{i}"), b"h\x02")))


def calls_of_one_table(count: int) -> bytes:
    table = b"}(" + b"".join(number(i) + b"N" for i in range(50_000)) + b"uq\x000"
    return table + asks("collections.Counter") + b"q\x010" + b"h\x00\x85q\x020" + list_of(b"h\x01h\x02R", count)


def tables_of_one_state(count: int) -> bytes:
    table = b"}(" + b"".join(text(str(i)) + b"N" for i in range(50_000)) + b"uq\x000"
    return table + asks("dnnlib.util.EasyDict") + b"q\x010" + list_of(b"h\x01)Rh\x00b", count)


def calls_of_one_text(count: int) -> bytes:
    kept = b"V" + b"a" * 1_000_000 + b"\nq\x000" + asks("_codecs.encode") + b"q\x010"
    return kept + tuple_of(b"h\x00", text("latin1")) + b"q\x020" + list_of(b"h\x01h\x02R", count)


def calls_of_something_outside(count: int) -> bytes:
    return b"(" + b"N" * 100_000 + b"tq\x000" + b"Px\nq\x010" + list_of(b"h\x01h\x00R", count)


HARMLESS = {"long bytes", "long text", "texts", "numbers", "names"}  # as large as they look, and then no checkpoint
BOMBS = {
    "empty lists": list_of(b"]", MANY),
    "empty dicts": list_of(b"}", MANY),
    "dicts": list_of(b"}K\x01Ns", 500_000),
    "sets": list_of(b"\x8f", MANY),
    "calls": asks("torch.Size") + b"q\x00" + list_of(b"h\x00)R", 660_000),
    "tables": asks("collections.OrderedDict") + b"q\x00" + list_of(b"h\x00)RK\x01Ns", 280_000),
    "tuples": list_of(b"N\x85", MANY // 2),
    "a deep tuple": EMPTY + NESTED * MANY,
    "the memo": b"N" + b"\x94" * MANY,
    "a sparse memo": b"N" + b"".join(b"r" + struct.pack("<I", 4096 * i) for i in range(MANY // 2)),
    "integers": list_of(b"M\xff\xff", MANY // 2),
    "a long integer": b"\x8b" + struct.pack("<i", 10**7) + b"\x7f" * 10**7,
    "a length that is a lie": b"\x8e" + struct.pack("<Q", 2**62),
    "laughs": doubled(200),
    "shared networks": network(text("net"), shared_twice(18)),
    "one tensor often": one_tensor_often(60_000),
    "one storage often": one_storage_often(80_000),
    "one table often": calls_of_one_table(10_000),
    "one state often": tables_of_one_state(10_000),
    "one text often": calls_of_one_text(20_000),
    "one call often": calls_of_something_outside(20_000),
    "names": b"(" + b"".join(asks(f"a.b{i}") for i in range(400_000)) + b"l",
    "wide modules": many_wide_modules(15_000, 10_000),
    "settings": b"](" + b"K\x01" * 9000 + b"eq\x500" + network(more=text("_init_args") + list_of(b"h\x50", 9000)),
    "long bytes": literal(bytes(30_000_000)),
    "long text": b"X" + struct.pack("<I", 30_000_000) + b"a" * 30_000_000,
    "texts": list_of(b"X" + struct.pack("<I", 4096) + "😀".encode() + b"a" * 4092, 3900),
    "numbers": list_of(b"\x8a\xff" + b"\x7f" * 255, 60_000),
}

"""NVIDIA's pickles of TensorFlow networks: variables by name and the arguments that the networks were made with."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ganzoo.checkpoint import Match, Stated, read_checkpoint
from ganzoo.errors import CheckpointError, CorruptFileError
from tests.checkpoint.assembler import START, asks, call, dict_of, number, text, tuple_of
from tests.checkpoint.nvidia_files import dumps, tf_network

CHANCE = np.random.default_rng(0)


def array(*shape: int) -> Any:
    return CHANCE.standard_normal(shape).astype(np.float32)


MAPPING = {"Dense0/weight": array(5, 4), "Dense0/bias": array(4)}
SYNTHESIS = {"lod": np.float32(1.5), "4x4/Const/const": array(1, 3, 4, 4), "noise0": array(1, 1, 4, 4)}


def generator(name: str) -> Any:
    components = {
        "mapping": tf_network("mapping", MAPPING, mapping_layers=1),
        "synthesis": tf_network("synthesis", SYNTHESIS, resolution=4, fmap_base=8192, blur_filter=[1, 2, 1]),
    }
    settings = {"resolution": 4, "truncation_psi": None, "func_name": "training.networks_stylegan.G_style"}
    return tf_network(name, {"dlatent_avg": array(5)}, components, **settings)


def written(path: Path, value: Any, protocol: int = 4) -> Path:
    path.write_bytes(dumps(value, protocol))
    return path


@pytest.mark.parametrize("protocol", range(6))
def test_the_three_networks_of_a_file(protocol: int, tmp_path: Path) -> None:
    kinds = {"4x4/Conv/weight": array(3, 3, 2, 2), "steps": np.array(7), "half": array(40).astype(np.float16)}
    networks = (generator("G"), tf_network("D", kinds, resolution=4), generator("Gs"))
    checkpoint = read_checkpoint(written(tmp_path / "x", networks, protocol))
    assert [state.place for state in checkpoint.states] == ["G", "D", "Gs"]
    wanted = {
        "dlatent_avg": dict(networks[2].state["variables"])["dlatent_avg"],
        **{f"mapping/{name}": value for name, value in MAPPING.items()},
        **{f"synthesis/{name}": value for name, value in SYNTHESIS.items()},
    }
    for state, values in zip(checkpoint.states[1:], (kinds, wanted), strict=True):
        assert list(state.tensors) == list(values)
        for name, value in values.items():
            tensor = state.tensors[name]
            wanted_tensor = torch.from_numpy(np.array(value))
            assert (tensor.dtype, tensor.shape) == (wanted_tensor.dtype, wanted_tensor.shape)
            assert torch.equal(tensor, wanted_tensor), name


@pytest.mark.parametrize("protocol", range(6))
def test_what_they_state(protocol: int, tmp_path: Path) -> None:
    (state,) = read_checkpoint(written(tmp_path / "x", generator("G"), protocol)).states
    assert state.place == ""
    stated = state.stated
    assert stated is not None
    assert (stated.name, stated.attributes) == ("G_func", {"version": 4, "name": "G"})
    assert stated.arguments == {"resolution": 4, "truncation_psi": None, "func_name": "training.networks_stylegan.G_style"}
    assert stated.part("mapping") == Stated("mapping_func", {"mapping_layers": 1}, attributes={"version": 4, "name": "mapping"})
    assert stated.part("synthesis").arguments["blur_filter"] == [1, 2, 1]  # type: ignore[union-attr]


@pytest.mark.parametrize(("place", "average"), [("G", False), ("D", False), ("Gs", True), ("dogs", False), ("G.Gs", False)])
def test_the_averaged_generator_is_known_by_its_name(place: str, average: bool) -> None:
    details: Any = {"plugin": "p", "architecture": None, "layout": "x", "role": "generator", "config": {}}
    assert Match(**details, place=place, reader=None, source=None).is_average == average  # type: ignore[arg-type]


def test_numbers_in_another_order(tmp_path: Path) -> None:
    values = array(6, 7, 5)
    stored = {
        "fortran": np.asfortranarray(values),
        "big": values.astype(">f4"),
        "both": np.asfortranarray(values.astype(">f4")),
        "view": values[:, ::2],
        "truth": CHANCE.random(100) < 0.5,
        "empty": np.zeros((0, 3), np.float32),
        "bytes": np.arange(200, dtype=np.uint8),
    }
    (state,) = read_checkpoint(written(tmp_path / "x", tf_network("D", stored))).states
    for name, value in stored.items():
        assert state.tensors[name].tolist() == value.tolist(), name


def test_weights_are_used_where_they_are(tmp_path: Path) -> None:
    value = np.arange(2**18, dtype=np.float32)
    for padding in range(4):  # one of the four lies at a multiple of its size
        variables = {"a" * (padding + 1): value}
        (state,) = read_checkpoint(written(tmp_path / "x", tf_network("D", variables))).states
        (tensor,) = state.tensors.values()
        assert torch.equal(tensor, torch.from_numpy(value))
        assert tensor.data_ptr() % 4 == 0


def test_the_names_of_older_numpy(tmp_path: Path) -> None:
    for protocol in (2, 3):
        data = dumps(generator("G"), protocol)
        assert b"numpy._core.multiarray" in data
        (tmp_path / "x").write_bytes(data.replace(b"numpy._core.", b"numpy.core."))
        (state,) = read_checkpoint(tmp_path / "x").states
        assert torch.equal(state.tensors["mapping/Dense0/weight"], torch.from_numpy(MAPPING["Dense0/weight"]))


# --- Python 2, whose pickles no pickler of today writes ---------------------------------------------------------------


def string(value: bytes) -> bytes:
    short = len(value) < 256
    return (b"U" + bytes([len(value)]) if short else b"T" + struct.pack("<i", len(value))) + value


def old_array(value: Any, raw: bytes | None = None) -> bytes:
    dtype = call("numpy.dtype", string(b"f4"), number(0), number(1))
    dtype += tuple_of(number(3), string(b"<"), b"N", b"N", b"N", number(-1), number(-1), number(0)) + b"b"
    shape = tuple_of(*map(number, value.shape))
    content = string(value.tobytes()) if raw is None else raw
    start = call("numpy.core.multiarray._reconstruct", asks("numpy.ndarray"), tuple_of(number(0)), string(b"b"))
    return start + tuple_of(number(1), shape, dtype, b"\x89", content) + b"b"


def old_network(*variables: bytes) -> bytes:
    state = dict_of(
        *(string(b"version"), number(2), string(b"name"), string(b"G"), string(b"build_func_name"), string(b"G_style")),
        *(string(b"static_kwargs"), dict_of(string(b"resolution"), number(8))),
        *(string(b"build_module_src"), string(b"x" * 9000)),
        *(string(b"variables"), b"](" + b"".join(variables) + b"e"),
    )
    return asks("dnnlib.tflib.network.Network") + b")\x81" + state + b"b"


@pytest.mark.parametrize("size", [3, 70, 5000])
def test_strings_of_python_2(size: int, tmp_path: Path) -> None:
    ascii_only = np.frombuffer(b"abcd" * size, np.float32)
    values = {"text": ascii_only, "bytes": array(size, 2), "ones": np.ones(size, np.float32)}
    entries = [tuple_of(string(name.encode()), old_array(value)) for name, value in values.items()]
    (tmp_path / "x").write_bytes(START + old_network(*entries) + b".")
    (state,) = read_checkpoint(tmp_path / "x").states
    assert state.stated is not None
    assert (state.stated.name, state.stated.arguments) == ("G_style", {"resolution": 8})
    for name, value in values.items():
        assert torch.equal(state.tensors[name], torch.from_numpy(value.copy())), name


# --- nonsense ---------------------------------------------------------------------------------------------------------

WRONG = {
    "cannot have the shape": tuple_of(string(b"w"), old_array(array(3), string(b"123"))),
    "is no plain number": tuple_of(string(b"w"), old_array(array(3)).replace(b"U\x02f4", b"U\x02O8")),
    "variable 'w'.*not plain bytes": tuple_of(string(b"w"), old_array(array(3), b"](K\x01e")),
    "it is one int": tuple_of(string(b"w"), number(1)),
    "variables make no sense": tuple_of(string(b"w"), old_array(array(3)), number(1)),
    "shape or order": tuple_of(string(b"w"), old_array(array(3)).replace(number(3) + b"t", number(-3) + b"t", 1)),
}


@pytest.mark.parametrize("problem", WRONG)
def test_variables_that_are_no_numbers(problem: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(START + old_network(WRONG[problem]) + b".")
    with pytest.raises(CorruptFileError, match=problem):
        read_checkpoint(tmp_path / "x")


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_arrays_of_objects_are_refused(protocol: int, tmp_path: Path) -> None:
    objects = np.array([1, "a", None], dtype=object)
    with pytest.raises(CorruptFileError, match="no plain"):
        read_checkpoint(written(tmp_path / "x", tf_network("D", {"w": objects}), protocol))


def test_two_variables_of_one_name(tmp_path: Path) -> None:
    inner = tf_network("a", {"w": array(2)})
    with pytest.raises(CorruptFileError, match="make no sense"):
        read_checkpoint(written(tmp_path / "x", tf_network("D", {"a/w": array(2)}, {"a": inner})))


def test_one_long_array_of_many_names_needs_no_more_memory_than_the_file(tmp_path: Path) -> None:
    content = string(bytes(range(256)) * 64)  # no text
    first = old_array(np.zeros((4096,), np.float32), content + b"q\x01")
    again = [old_array(np.zeros((4096,), np.float32), b"h\x01") for _ in range(300)]
    swapped = [each.replace(string(b"<"), string(b">")) for each in again]
    for copies, fits in ((again, True), (swapped, False)):
        entries = [tuple_of(string(b"%d" % i), each) for i, each in enumerate([first, *copies])]
        (tmp_path / "x").write_bytes(START + old_network(*entries) + b".")
        if fits:
            (state,) = read_checkpoint(tmp_path / "x").states
            assert len({tensor.data_ptr() for tensor in state.tensors.values()}) == 1
        else:
            with pytest.raises(CorruptFileError, match="larger than the file"):
                read_checkpoint(tmp_path / "x")


def test_a_component_that_is_no_network(tmp_path: Path) -> None:
    with pytest.raises(CorruptFileError, match="components is no network"):
        read_checkpoint(written(tmp_path / "x", tf_network("G", {}, {"mapping": {"w": 1}})))  # type: ignore[dict-item]


def test_an_object_without_variables_holds_no_weights(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(START + call("dnnlib.tflib.network.Network") + dict_of(text("name"), text("G")) + b"b.")
    with pytest.raises(CheckpointError, match="no named tensors"):
        read_checkpoint(tmp_path / "x")

"""Any file is read as data, or refused with words that say what it is."""

import collections
import gzip
import io
import json
import os
import pickle
import struct
import zipfile
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save, save_file
from torch import Tensor, nn

from ganzoo.checkpoint import read_checkpoint
from ganzoo.errors import CheckpointError, CorruptFileError, HostileFileError

Tensors = dict[str, Tensor]


@pytest.fixture
def tensors() -> Tensors:
    return {"a.weight": torch.arange(12.0).view(3, 4), "a.count": torch.tensor(7), "b": torch.ones(5, dtype=torch.float16)}


def legacy(content: Any, path: Path) -> None:
    torch.save(content, path, _use_new_zipfile_serialization=False)


WRITERS: dict[str, Callable[[Any, Path], None]] = {"torch-zip": torch.save, "pickle": legacy, "safetensors": save_file}


@pytest.mark.parametrize("container", WRITERS)
@pytest.mark.parametrize("name", ["weights.safetensors", "weights.pth", "weights"])
def test_the_content_decides_and_never_the_suffix(container: str, name: str, tensors: Tensors, tmp_path: Path) -> None:
    WRITERS[container](tensors, tmp_path / name)
    checkpoint = read_checkpoint(tmp_path / name)
    assert checkpoint.format == container
    (state,) = checkpoint.states
    assert state.place == ""
    assert set(state.tensors) == set(tensors)
    for key, tensor in tensors.items():
        assert state.tensors[key].dtype == tensor.dtype
        assert torch.equal(state.tensors[key], tensor)


@pytest.mark.parametrize("container", ["torch-zip", "safetensors"])
def test_writing_to_a_mapped_tensor_never_reaches_the_file(container: str, tensors: Tensors, tmp_path: Path) -> None:
    path = tmp_path / "weights"
    WRITERS[container](tensors, path)
    before = path.read_bytes()
    checkpoint = read_checkpoint(path)
    for tensor in checkpoint.states[0].tensors.values():
        tensor.fill_(3)
    assert torch.equal(checkpoint.states[0].tensors["b"], torch.full((5,), 3.0, dtype=torch.float16))
    assert path.read_bytes() == before
    again = read_checkpoint(path).states[0].tensors
    assert torch.equal(again["a.weight"], tensors["a.weight"])


def places(content: Any, tmp_path: Path) -> dict[str, list[str]]:
    torch.save(content, tmp_path / "file.pt")
    return {state.place: list(state.tensors) for state in read_checkpoint(tmp_path / "file.pt").states}


def test_states_are_found_wherever_they_are(tensors: Tensors, tmp_path: Path) -> None:
    keys = list(tensors)
    content = {"state_dict": tensors, "models": {"g_ema": dict(tensors), "list": [dict(tensors)]}, "epoch": 3, "nothing": None}
    found = places(content, tmp_path)
    assert found == {"state_dict": keys, "models.g_ema": keys, "models.list.0": keys}
    assert read_checkpoint(tmp_path / "file.pt").metadata == {"epoch": 3}


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module.", "module.module."])
def test_wrapping_prefixes_are_taken_off(prefix: str, tensors: Tensors, tmp_path: Path) -> None:
    assert places({prefix + key: t for key, t in tensors.items()}, tmp_path) == {"": list(tensors)}


def test_a_prefix_that_only_some_keys_have_stays(tensors: Tensors, tmp_path: Path) -> None:
    mixed = {"module.a": torch.ones(1), "b": torch.ones(1), "scale.0.module.weight": torch.ones(1)}
    assert places(mixed, tmp_path) == {"": list(mixed)}


def test_the_count_of_an_averaged_model_is_left_out(tmp_path: Path) -> None:
    averaged = torch.optim.swa_utils.AveragedModel(nn.Linear(2, 2))
    assert places(averaged.state_dict(), tmp_path) == {"": ["weight", "bias"]}


def test_one_flat_dict_of_two_networks_is_split(tensors: Tensors, tmp_path: Path) -> None:
    flat = {f"{net}.{key}": t for net in ("generator", "discriminator") for key, t in tensors.items()}
    found = places({"state_dict": flat}, tmp_path)
    assert found["state_dict.generator"] == found["state_dict.discriminator"] == list(tensors)
    assert found["state_dict"] == list(flat)


def test_the_state_of_an_optimiser_is_left_out(tensors: Tensors, tmp_path: Path) -> None:
    layer = nn.Linear(2, 2)
    optimiser = torch.optim.Adam(layer.parameters())
    layer(torch.ones(1, 2)).sum().backward()
    optimiser.step()
    assert list(places({"model": layer.state_dict(), "optimizer": optimiser.state_dict()}, tmp_path)) == ["model"]


def test_numpy_scalars_do_not_stop_a_checkpoint(tensors: Tensors, tmp_path: Path) -> None:
    assert places({"state_dict": tensors, "best_fid": np.float64(12.5), "step": np.int64(3)}, tmp_path) == {
        "state_dict": list(tensors)
    }


def test_common_containers_and_views_are_read(tmp_path: Path) -> None:
    base = torch.arange(20.0)
    content = {
        "net": collections.OrderedDict(row=base[5:10], column=base.view(4, 5)[:, 1], parameter=nn.Parameter(base[:2])),
        "size": base.size(),
        "dtype": torch.float16,
        "device": torch.device("cpu"),
        "names": {"x"},
        "counts": collections.Counter("aab"),
    }
    torch.save(content, tmp_path / "file.pt")
    (state,) = read_checkpoint(tmp_path / "file.pt").states
    assert state.tensors["column"].tolist() == [1, 6, 11, 16]
    assert not state.tensors["parameter"].requires_grad


# --- hostile ----------------------------------------------------------------------------------------------------------


class Bomb:
    def __init__(self, folder: Path, call: Any = os.system) -> None:
        self.call, self.folder = call, folder

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return self.call, (f"touch {self.folder}/pwned",)


def zipped(payload: bytes, path: Path) -> None:
    """A file of torch.save whose pickle is ``payload``."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", payload)
        archive.writestr("archive/version", "3\n")


def legacy_with(payload: bytes, path: Path) -> None:
    from ganzoo.checkpoint.torch_file import LEGACY_MAGIC

    parts = [pickle.dumps(part, 2) for part in (LEGACY_MAGIC, 1001, {"little_endian": True})]
    path.write_bytes(b"".join([*parts, payload, pickle.dumps([], 2)]))


CARRIERS = {"plain": lambda payload, path: path.write_bytes(payload), "zip": zipped, "legacy": legacy_with}


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("protocol", range(6))
def test_a_hostile_pickle_is_named_and_not_run(carrier: str, protocol: int, tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    CARRIERS[carrier](pickle.dumps({"w": Bomb(tmp_path)}, protocol), path)
    with pytest.raises(HostileFileError) as caught:
        read_checkpoint(path)
    assert f"{os.system.__module__}.system" in caught.value.names
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize(
    ("payload", "name"),
    [
        (b"cos\nsystem\n(S'true'\ntR.", "os.system"),
        (b"(S'true'\nios\nsystem\n.", "os.system"),
        (b"\x80\x02c__builtin__\neval\n(X\x01\x00\x00\x001tR.", "builtins.eval"),
        (b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94h\x00h\x01\x93\x8c\x04true\x85R.", "os.system"),
        (b"\x80\x04\x8c\x02os\x8c\x03sys\x8c\x03tem\x86\x85\x93.", "<a name computed while loading>"),
        (b"\x80\x02\x82\x07.", "<extension registry code 7>"),
        (b"\x80\x02\x83\x07\x00.", "<extension registry code 7>"),
        (b"\x80\x02\x84\x07\x00\x00\x00.", "<extension registry code 7>"),
        (b"\x80\x02ctorch\nhub.load\n)R.", "torch.hub.load"),
        (b"\x80\x02ccollections\nOrderedDict.__init__\n)R.", "collections.OrderedDict.__init__"),
        (b"\x80\x02cos\nsystem\nX\xff\x00\x00\x00cut", "os.system"),
    ],
)
def test_every_way_to_ask_for_code_is_seen(carrier: str, payload: bytes, name: str, tmp_path: Path) -> None:
    CARRIERS[carrier](payload, tmp_path / "file")
    with pytest.raises(HostileFileError) as caught:
        read_checkpoint(tmp_path / "file")
    assert caught.value.names == (name,)


@pytest.mark.parametrize("save_as", [torch.save, legacy])
def test_options_of_a_program_are_read_as_a_table(save_as: Callable[[Any, Path], None], tmp_path: Path) -> None:
    options = Namespace(size=256, mixing=0.9, path="photos", betas=(0, 0.99), device=torch.device("cpu"), inner=Namespace(a=1))
    weights = {"conv.weight": torch.randn(3, 2)}
    save_as({"g_ema": weights, "args": options, "latent_avg": torch.ones(4), "ada_aug_p": 0.0}, tmp_path / "x.pt")
    checkpoint = read_checkpoint(tmp_path / "x.pt")
    assert {state.place: list(state.tensors) for state in checkpoint.states} == {"": ["latent_avg"], "g_ema": ["conv.weight"]}
    assert all(state.stated is None for state in checkpoint.states)
    assert checkpoint.metadata == {
        **{"args.size": 256, "args.mixing": 0.9, "args.path": "photos", "args.inner.a": 1},
        "ada_aug_p": 0.0,
    }


@pytest.mark.parametrize("save_as", [torch.save, legacy])
def test_options_that_hold_code_are_refused(save_as: Callable[[Any, Path], None], tmp_path: Path) -> None:
    save_as({"g_ema": {"w": torch.ones(3)}, "args": Namespace(loss=print)}, tmp_path / "x.pt")
    with pytest.raises(HostileFileError) as caught:
        read_checkpoint(tmp_path / "x.pt")
    assert caught.value.names == ("builtins.print",)


@pytest.mark.parametrize("save_as", [torch.save, legacy])
def test_whole_objects_are_refused_with_advice(save_as: Callable[[Any, Path], None], tmp_path: Path) -> None:
    save_as({"opt": Namespace(lr=1), "net": nn.Linear(2, 2)}, tmp_path / "net.pt")
    with pytest.raises(HostileFileError, match=r"state_dict\(\)") as caught:
        read_checkpoint(tmp_path / "net.pt")
    assert caught.value.names == ("torch.nn.modules.linear.Linear",)


def test_a_name_cannot_paint_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"\x80\x02cos\n\x1b[2Jsystem\n.")
    with pytest.raises(HostileFileError) as caught:
        read_checkpoint(tmp_path / "file")
    assert "\x1b" not in str(caught.value)


def test_a_harmless_pickle_that_torch_did_not_make(tmp_path: Path) -> None:
    (tmp_path / "file.pkl").write_bytes(pickle.dumps({"a": [1, 2]}))
    with pytest.raises(CheckpointError, match="no named tensors.*'a'"):
        read_checkpoint(tmp_path / "file.pkl")


def test_torchscript_is_refused_as_code(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "net.pt", "w") as archive:
        for name in ("net/data.pkl", "net/constants.pkl", "net/code/__torch__.py"):
            archive.writestr(name, b"x")
    with pytest.raises(CheckpointError, match="TorchScript"):
        read_checkpoint(tmp_path / "net.pt")


# --- damaged, or something else ---------------------------------------------------------------------------------------

SOMETHING_ELSE = {
    "is empty": b"",
    "web page": b"\n <!DOCTYPE html><html><body>Sign in</body></html>",
    "Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 5\n",
    "JSON text": b'{"error": "not found"}',
    "a text file": b"The weights are elsewhere, sorry. " * 30,
    "gzip archive": gzip.compress(b"x" * 100),
    "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(100),
    "NumPy array": b"\x93NUMPY\x01\x00" + bytes(100),
    "PNG": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "tar archive": bytes(257) + b"ustar" + bytes(300),
    "full of zeros": bytes(1000),
    "unknown format": bytes(range(200, 256)) * 4,
}


@pytest.mark.parametrize("words", SOMETHING_ELSE)
def test_what_is_no_checkpoint_is_called_by_its_name(words: str, tmp_path: Path) -> None:
    (tmp_path / "weights.safetensors").write_bytes(SOMETHING_ELSE[words])
    with pytest.raises(CorruptFileError, match=words) as caught:
        read_checkpoint(tmp_path / "weights.safetensors")
    assert "weights.safetensors" in str(caught.value)


def test_folders_pipes_and_missing_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, words in (
        (tmp_path, "is a folder"),
        (tmp_path / "no", "There is no file"),
        (tmp_path / "pipe", "not a regular file"),
    ):
        with pytest.raises(CheckpointError, match=words):
            read_checkpoint(path)


@pytest.mark.parametrize("container", WRITERS)
def test_a_file_cut_anywhere_is_refused(container: str, tensors: Tensors, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    WRITERS[container](tensors, whole)
    content = whole.read_bytes()
    for length in [*range(1, 200, 7), *range(200, len(content), 41), len(content) - 1]:
        (tmp_path / "cut").write_bytes(content[:length])
        with pytest.raises(CorruptFileError):
            read_checkpoint(tmp_path / "cut")


@pytest.mark.parametrize("container", WRITERS)
def test_a_flipped_bit_never_escapes_as_a_raw_error(container: str, tensors: Tensors, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    WRITERS[container](tensors, whole)
    content = whole.read_bytes()
    refused = 0
    for i in range(0, min(len(content), 700), 3):
        damaged = bytearray(content)
        damaged[i] ^= 1 << (i % 8)
        (tmp_path / "flipped").write_bytes(damaged)
        try:
            read_checkpoint(tmp_path / "flipped")
        except CheckpointError:
            refused += 1
    assert refused > 20


def header(entries: object, data: bytes) -> bytes:
    raw = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    return struct.pack("<Q", len(raw)) + raw + data


F32 = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (header({"a": F32}, bytes(4)), "truncated"),
        (header({"a": F32}, bytes(12)), "extra bytes"),
        (header(b'{"a": ' + json.dumps(F32).encode() + b', "a": ' + json.dumps(F32).encode() + b"}", bytes(8)), "'a' twice"),
        (header({"a": {**F32, "shape": [3]}}, bytes(8)), "shape"),
        (header({"a": {**F32, "shape": [-2]}}, bytes(8)), "'a'"),
        (header({"a": {"dtype": "F32"}}, bytes(8)), "entry of 'a'"),
        (header({"a": {**F32, "data_offsets": [8, 0]}}, bytes(0)), "'a'"),
        (header({"a": {**F32, "shape": [2**62, 2**62]}}, bytes(8)), "shape"),
        (header({"a": F32, "b": F32}, bytes(8)), "damaged"),
        (header({"a": {**F32, "dtype": "X7"}}, bytes(8)), "damaged"),
        (header(b'{"a": {"dtype": "F32", "shape": [0], "data_offsets": [0, Infinity]}}', b""), "absurd numbers"),
        (header(b'{"a": {"dtype": "F32", "shape": [0], "data_offsets": [0, 1e999]}}', b""), "absurd numbers"),
        (header(b'{"a": {"dtype": "F32", "shape": [0], "data_offsets": [0, ' + b"9" * 4300 + b"]}}", b""), "absurd numbers"),
        (header({"a": {**F32, "shape": [True, 2]}}, bytes(8)), "entry of 'a' is unreadable"),
        (header({"a": {**F32, "data_offsets": [0.0, 8.0]}}, bytes(8)), "absurd numbers"),
        (header({"a": {**F32, "shape": "ab"}}, bytes(8)), "entry of 'a' is unreadable"),
        (header({"a": {**F32, "shape": [2, *[1] * 64]}}, bytes(8)), "entry of 'a' is unreadable"),
        (header({"a": {**F32, "shape": [2**62] * 150_000}}, bytes(8)), "entry of 'a' is unreadable"),
        (header({"a": {**F32, "shape": [3] * 20}}, bytes(8)), r"shape \[3, 3, 3, 3, 3, 3, 3, 3, …\] but"),
        (header(b'{"a":' + b"[" * 300_000, b""), "no JSON"),
        (header(b"{" + b"".join(b'"%d":{},' % i for i in range(60_000)) + b'"0":{}}', b""), "'0' twice"),
        (header(b"{not json}", b""), "no JSON"),
        (struct.pack("<Q", 2**60) + b"{}", "header needs"),
        (header({}, b""), "no named tensors"),
    ],
)
def test_a_damaged_safetensors_header_is_explained(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(content)
    with pytest.raises(CheckpointError, match=words):
        read_checkpoint(tmp_path / "a.safetensors")


@pytest.mark.parametrize("ties", ["[" * 200_000, '{"x":' + "9" * 5000 + "}", '{"x": ["a"]}', "[1]", "no JSON"])
def test_a_note_on_tied_weights_that_makes_no_sense_is_ignored(ties: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(header({"__metadata__": {"ganzoo_ties": ties}, "a": F32}, bytes(8)))
    assert list(read_checkpoint(tmp_path / "a").states[0].tensors) == ["a"]


@pytest.mark.parametrize(
    "content",
    [
        header({"\x1b]0;x\x07": 3}, b""),
        header(b'{"\\u001b[31mx": 1, "\\u001b[31mx": 2}', b""),
        header({"\x1b[31mx": {**F32, "shape": [3]}}, bytes(8)),
    ],
)
def test_a_key_cannot_paint_the_terminal(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(CorruptFileError, match=r"\\x1b") as caught:
        read_checkpoint(tmp_path / "a")
    assert "\x1b" not in str(caught.value)


def repacked(path: Path, change: Callable[[zipfile.ZipFile, zipfile.ZipInfo, bytes], None], compression: int = 0) -> None:
    """The zip file again, each record passed through ``change``."""
    source = io.BytesIO(path.read_bytes())
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w", compression) as new:
        for entry in old.infolist():
            change(new, entry, old.read(entry))


def test_a_bomb_of_compressed_records_is_never_unpacked(tensors: Tensors, tmp_path: Path) -> None:
    path = tmp_path / "bomb.pt"
    torch.save(tensors, path)
    repacked(
        path, lambda new, entry, data: new.writestr(entry.filename, data if "data.pkl" in entry.filename else bytes(10**7)), 8
    )
    with pytest.raises(CorruptFileError, match="compressed"):
        read_checkpoint(path)


def test_two_records_of_one_name(tensors: Tensors, tmp_path: Path) -> None:
    path = tmp_path / "twice.pt"
    torch.save(tensors, path)

    def twice(new: zipfile.ZipFile, entry: zipfile.ZipInfo, data: bytes) -> None:
        new.writestr(entry.filename, data)
        if entry.filename.endswith("data/0"):
            with pytest.warns(UserWarning, match="Duplicate"):
                new.writestr(entry.filename, data)

    repacked(path, twice)
    with pytest.raises(CorruptFileError, match="two records of one name"):
        read_checkpoint(path)


def test_a_zip_that_is_no_checkpoint(tmp_path: Path) -> None:
    for content, words in (({"readme.txt": b"x"}, "it holds readme.txt"), ({}, "it holds nothing")):
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            for name, data in content.items():
                archive.writestr(name, data)
        with pytest.raises(CorruptFileError, match=words):
            read_checkpoint(tmp_path / "a.zip")


@pytest.mark.parametrize("what", ["elements of the storage", "shape of the tensor", "offset of the tensor"])
@pytest.mark.parametrize("container", ["torch-zip", "pickle"])
def test_a_tensor_outside_its_storage_is_refused(container: str, what: str, tmp_path: Path) -> None:
    path = tmp_path / "file.pt"
    WRITERS[container]({"a": torch.arange(10.0), "b": torch.arange(99.0)}, path)
    content = whole = path.read_bytes()
    if container == "torch-zip":
        with zipfile.ZipFile(path) as archive:
            content = archive.read("file/data.pkl")
    end = b"K\x0at" if container == "torch-zip" else b"K\x0aNt"
    changes = {
        "elements of the storage": (end, end.replace(b"\x0a", b"\x14")),
        "shape of the tensor": (b"K\x0a\x85", b"K\x14\x85"),
        "offset of the tensor": (b"K\x00K\x0a\x85", b"K\x09K\x0a\x85"),
    }
    old, new = changes[what]
    assert content.count(old) == 1
    if container == "torch-zip":  # packed again, so that the checksum is right
        path.write_bytes(whole)
        changed = content.replace(old, new)
        repacked(path, lambda archive, entry, data: archive.writestr(entry.filename, changed if data == content else data))
    else:
        path.write_bytes(content.replace(old, new))
    with pytest.raises(CorruptFileError, match="damaged"):
        read_checkpoint(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"epoch": 1, "lr": 0.1}, "keys 'epoch', 'lr'"),
        ({}, "empty table"),
        (torch.ones(3), "one Tensor"),
        ([torch.ones(3)], "one list"),
    ],
)
def test_a_checkpoint_without_a_state_dict(content: Any, words: str, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "file.pt")
    with pytest.raises(CheckpointError, match=words):
        read_checkpoint(tmp_path / "file.pt")


def test_an_unaligned_tensor_is_copied_into_place(tmp_path: Path) -> None:
    raw = save({"a": torch.arange(3, dtype=torch.uint8), "b": torch.arange(4.0)})
    length = struct.unpack("<Q", raw[:8])[0]
    entries = json.loads(raw[8 : 8 + length])
    swapped = {"a": {**entries["a"], "data_offsets": [0, 3]}, "b": {**entries["b"], "data_offsets": [3, 19]}}
    data = bytes(range(3)) + torch.arange(4.0).numpy().tobytes()
    (tmp_path / "a").write_bytes(header(swapped, data))
    (state,) = read_checkpoint(tmp_path / "a").states
    assert state.tensors["b"].data_ptr() % 4 == 0
    assert state.tensors["b"].tolist() == [0, 1, 2, 3]

"""NVIDIA's pickles of whole PyTorch networks: state dicts and constructor arguments, without the source text inside."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from ganzoo.checkpoint import Stated, read_checkpoint
from ganzoo.checkpoint.pickle_machine import run_pickle
from ganzoo.errors import CheckpointError, CorruptFileError, HostileFileError
from tests.checkpoint.assembler import START, call, dict_of, doubled, number, text, tuple_of
from tests.checkpoint.nvidia_files import EasyDict, Persistent, dumps
from tests.support.packs import GOLDEN, read_pack

PICKLES = ("stylegan2_ada", "stylegan3_t", "stylegan3_r")


class Layer(Persistent):
    def __init__(self, inputs: int, outputs: int, *, gain: float = 1.0) -> None:
        super().__init__(inputs, outputs, gain=gain)
        self.weight = nn.Parameter(torch.randn(outputs, inputs))
        self.register_buffer("filter", torch.tensor([1.0, 3.0, 3.0, 1.0]))
        self.register_buffer("scratch", torch.zeros(3), persistent=False)
        self.register_buffer("absent", None)
        self.clamp, self.size, self.rate = 256, np.array([4, 6]), np.float32(0.5)
        self.taps = np.linspace(0, 1, 20).reshape(4, 5)
        self.table, self.shape, self.kind = np.zeros(9000), torch.Size([2, 3]), torch.float16
        self.odd = {1}
        self.mixed = [1, {2}]
        self._hidden = 1


class Whole(Persistent):
    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.b4 = Layer(3, 5)
        self.b8 = Layer(5, 2, gain=0.5)
        self.const = nn.Parameter(torch.randn(2, 2).to(torch.float16))
        self.width = 7


def same(found: Any, wanted: dict[str, Tensor]) -> None:
    assert list(found) == list(wanted)
    for name, tensor in wanted.items():
        assert found[name].dtype == tensor.dtype, name
        assert torch.equal(found[name], tensor), name


def content() -> dict[str, Any]:
    torch.manual_seed(3)
    settings = {"mapping_kwargs": EasyDict(num_layers=2, deep=EasyDict(a=(1, 2))), "clamp": None, "on": True}
    data = EasyDict(path="x.zip", xflip=False)
    return {"G": None, "G_ema": Whole(**settings), "training_set_kwargs": data, "augment_pipe": None}


@pytest.mark.parametrize("name", PICKLES)
def test_the_golden_pickles_come_out_bit_for_bit(name: str) -> None:
    checkpoint = read_checkpoint(GOLDEN / f"{name}.pkl")
    assert [state.place for state in checkpoint.states] == ["G", "D", "G_ema"]
    wanted = load_file(GOLDEN / f"{name}_pkl.safetensors")
    found = {f"state/{state.place}.{key}": tensor for state in checkpoint.states for key, tensor in state.tensors.items()}
    assert set(found) == {key for key in wanted if key.startswith("state/")}
    for key, tensor in found.items():
        assert tensor.dtype == wanted[key].dtype
        assert torch.equal(tensor, wanted[key]), key
    assert checkpoint.metadata["training_set_kwargs.path"] == "dataset.zip"


@pytest.mark.parametrize("name", PICKLES)
def test_the_golden_pickles_state_their_arguments(name: str) -> None:
    config = read_pack(GOLDEN / f"{name}_pkl.safetensors").meta["config"]
    stated = {state.place: state.stated for state in read_checkpoint(GOLDEN / f"{name}.pkl").states}
    for place, network in stated.items():
        assert network is not None
        assert network.arguments == config[place.removesuffix("_ema")]
        assert network.name == ("Discriminator" if place == "D" else "Generator")
    synthesis = stated["G_ema"].part("synthesis")  # type: ignore[union-attr]
    assert synthesis is not None
    assert synthesis.attributes["img_resolution"] == 16
    assert stated["D"].part("b4.mbstd").attributes["group_size"] == 2  # type: ignore[union-attr]


@pytest.mark.parametrize("protocol", range(6))
def test_any_protocol_gives_the_state_dict_of_pytorch(protocol: int, tmp_path: Path) -> None:
    whole = content()
    (tmp_path / "x").write_bytes(dumps(whole, protocol))
    checkpoint = read_checkpoint(tmp_path / "x")
    (state,) = checkpoint.states
    same(state.tensors, whole["G_ema"].state_dict())
    assert "b4.scratch" not in state.tensors
    assert checkpoint.metadata == {"training_set_kwargs.path": "x.zip", "training_set_kwargs.xflip": False}


@pytest.mark.parametrize("protocol", range(6))
def test_what_a_file_states(protocol: int, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(dumps(content(), protocol))
    (state,) = read_checkpoint(tmp_path / "x").states
    stated = state.stated
    assert stated is not None
    assert (stated.name, stated.positional) == ("Whole", ())
    assert stated.arguments == {"mapping_kwargs": {"num_layers": 2, "deep": {"a": [1, 2]}}, "clamp": None, "on": True}
    assert stated.attributes == {"width": 7}
    layer = stated.part("b8")
    assert layer is stated.parts["b8"]
    assert layer == Stated(
        "Layer",
        {"gain": 0.5},
        (5, 2),
        {
            **{"clamp": 256, "size": [4, 6], "rate": 0.5, "shape": [2, 3], "kind": "float16"},
            "taps": np.linspace(0, 1, 20).reshape(4, 5).tolist(),
        },
    )
    assert stated.part("b8.conv") is None
    assert stated.part("b9.conv.deeper") is None


def test_the_names_of_older_numpy(tmp_path: Path) -> None:
    data = dumps(content(), 3)
    assert b"numpy._core" in data
    (tmp_path / "x").write_bytes(data.replace(b"numpy._core.", b"numpy.core."))
    (state,) = read_checkpoint(tmp_path / "x").states
    assert state.stated is not None
    assert state.stated.parts["b4"].attributes["size"] == [4, 6]
    assert state.stated.parts["b4"].attributes["rate"] == 0.5


def test_source_text_is_not_even_read(tmp_path: Path) -> None:
    data = dumps(content())
    assert data.count(b"this source was run") == 200  # one text, however many objects
    whole = run_pickle(data).value
    source = whole["G_ema"].args[0]["module_src"]
    assert data[source.start :].startswith(b"raise SystemExit")


# --- nonsense ---------------------------------------------------------------------------------------------------------

FUNCTION = "torch_utils.persistence._reconstruct_persistent_obj"
EMPTY_MODULE = dict_of(text("_parameters"), b"}", text("_buffers"), b"}", text("_modules"), b"}")


def written(tmp_path: Path, program: bytes) -> Path:
    (tmp_path / "x").write_bytes(START + dict_of(text("w"), program) + b".")
    return tmp_path / "x"


@pytest.mark.parametrize(
    "arguments",
    [
        b"",
        number(1),
        b"}",
        b"}" + b"}",
        dict_of(text("class_name"), number(3), text("state"), EMPTY_MODULE),
        dict_of(text("class_name"), text("A")),
        dict_of(text("class_name"), text("A"), text("state"), number(3)),
        dict_of(text("class_name"), text("A"), text("state"), dict_of(text("a"), number(1))),
    ],
)
def test_objects_that_are_no_networks_hold_no_weights(arguments: bytes, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no named tensors"):
        read_checkpoint(written(tmp_path, call(FUNCTION, arguments)))


def test_a_network_in_a_network_that_is_none(tmp_path: Path) -> None:
    inner = dict_of(text("_parameters"), b"}", text("_buffers"), b"}", text("_modules"), dict_of(text("m"), number(1)))
    with pytest.raises(CorruptFileError, match="holds something that is no module.*an object of A"):
        read_checkpoint(written(tmp_path, call(FUNCTION, dict_of(text("class_name"), text("A"), text("state"), inner))))


@pytest.mark.parametrize("levels", [7, 60])
def test_settings_that_unfold_endlessly(levels: int, tmp_path: Path) -> None:
    state = EMPTY_MODULE[:-1] + text("_init_args") + doubled(levels) + text("wide")
    wide = b"](" + b"K\x01" * 200 + b"e" + b"q\x50" + b"0(" + b"h\x50" * 400 + b"l"
    program = call(FUNCTION, dict_of(text("class_name"), text("A"), text("state"), state + wide + b"u"))
    with pytest.raises(CorruptFileError, match="absurdly many"):
        read_checkpoint(written(tmp_path, program))


def test_the_hostile_golden_pickle_runs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with pytest.raises(HostileFileError, match=r"posix\.system") as caught:
        read_checkpoint(GOLDEN / "malicious.pkl")
    assert caught.value.names == ("posix.system",)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "name",
    [
        *("torch_utils.persistence._reconstruct", "torch_utils.persistence.persistent_class", "torch_utils.misc.open"),
        *("torch_utils.persistence._reconstruct_persistent_obj.x", "dnnlib.util.open_url", "dnnlib.util.EasyDict.update"),
        *("dnnlib.util.call_func_by_name", "dnnlib.tflib.network.Network.clone", "argparse.FileType", "xargparse.Namespace"),
        *("models.utils.config.updateConfig", "models.utils.config.BaseConfig.__init__", "utils.config.BaseConfig"),
    ],
)
def test_names_are_compared_whole(name: str, tmp_path: Path) -> None:
    with pytest.raises(HostileFileError) as caught:
        read_checkpoint(written(tmp_path, call(name, tuple_of(text("a")))))
    assert caught.value.names == (name,)


def test_hostile_bytes_in_a_storage_of_a_network(tmp_path: Path) -> None:
    data = (GOLDEN / "stylegan3_t.pkl").read_bytes()
    inside = data.index(b"ctorch\nFloatStorage\n", data.index(b"G_ema"))
    evil = data[:inside] + b"cposixpath\nsystem__\n"[:20].ljust(20, b"_") + data[inside + 20 :]
    assert len(evil) == len(data)
    (tmp_path / "x").write_bytes(evil)
    with pytest.raises(HostileFileError, match="posixpath"):
        read_checkpoint(tmp_path / "x")

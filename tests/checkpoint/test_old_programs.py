"""What older programs and protocols write: objects made by `copyreg`, and networks of NVIDIA's program for Progressive GAN."""

import pickle
from pathlib import Path

import pytest
import torch

from ganzoo.building import build_random
from ganzoo.checkpoint import read_checkpoint, recognise
from ganzoo.errors import CorruptFileError, HostileFileError, UnrecognisedCheckpointError
from ganzoo_stylegan import ganzoo_architectures
from tests.checkpoint.assembler import START, asks, call, dict_of, number, text, tuple_of
from tests.checkpoint.nvidia_files import dumps, tf_network
from tests.checkpoint.test_persistence import content
from tests.checkpoint.test_tf_networks import array

KNOWN = [("stylegan", architecture) for architecture in ganzoo_architectures()]
MADE = "copyreg._reconstructor"


def test_objects_that_copyreg_makes_are_what_they_would_be(tmp_path: Path) -> None:
    """Protocols 0 and 1 know no other way."""
    for protocol in (0, 1):
        data = dumps(content(), protocol)
        assert b"copy_reg" in data and b"_reconstructor" in data
        (tmp_path / "old").write_bytes(data)
        (tmp_path / "new").write_bytes(dumps(content(), 4))
        old, new = (read_checkpoint(tmp_path / name) for name in ("old", "new"))
        assert [state.stated for state in old.states] == [state.stated for state in new.states]
        assert old.metadata == new.metadata


def test_a_table_that_copyreg_makes(tmp_path: Path) -> None:
    table = call(MADE, asks("dnnlib.util.EasyDict"), asks("builtins.dict"), dict_of(text("size"), number(8)))
    (tmp_path / "x").write_bytes(START + dict_of(text("options"), table, text("w"), pickled_tensor()) + b".")
    assert read_checkpoint(tmp_path / "x").metadata == {"options.size": 8}


def pickled_tensor() -> bytes:
    """A tensor as it stands in a plain pickle, without the frame of a pickle of its own."""
    return pickle.dumps(torch.ones(3), 2)[2:-1]


@pytest.mark.parametrize("cls", ["os.system", "builtins.eval", "collections.deque"])
def test_what_copyreg_is_to_make_is_looked_at(cls: str, tmp_path: Path) -> None:
    evil = call(MADE, asks(cls), asks("builtins.object"), b"N")
    (tmp_path / "x").write_bytes(START + dict_of(text("a"), evil) + b".")
    with pytest.raises(HostileFileError, match=cls):
        read_checkpoint(tmp_path / "x")


@pytest.mark.parametrize(
    "arguments",
    [
        (asks("dnnlib.util.EasyDict"), asks("builtins.dict")),
        (text("os.system"), asks("builtins.object"), b"N"),
        (call("collections.OrderedDict"), asks("builtins.object"), b"N"),
        (tuple_of(number(1)), asks("builtins.object"), b"N"),
    ],
    ids=["two arguments", "a text", "an object", "a tuple"],
)
def test_what_is_no_class_is_not_made(arguments: tuple[bytes, ...], tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(START + dict_of(text("a"), call(MADE, *arguments)) + b".")
    with pytest.raises(CorruptFileError, match="something that is no class"):
        read_checkpoint(tmp_path / "x")


def test_bases_are_named_and_never_called(tmp_path: Path) -> None:
    for name in ("builtins.object", "builtins.dict"):
        (tmp_path / "x").write_bytes(START + dict_of(text("a"), call(name)) + b".")
        with pytest.raises(CorruptFileError, match="in a way that torch.save does not"):
            read_checkpoint(tmp_path / "x")


def test_storages_that_protocol_2_spells_as_text(tmp_path: Path) -> None:
    """Small ones stand within the program, large ones are left where they are; every byte is a character."""
    for count in (3, 5000):
        weights = {"w": torch.arange(count, dtype=torch.float32).sin()}
        weights["v"] = weights["w"][1:]
        (tmp_path / "x").write_bytes(pickle.dumps(weights, 2))
        (state,) = read_checkpoint(tmp_path / "x").states
        assert all(torch.equal(state.tensors[key], tensor) for key, tensor in weights.items())


def test_a_storage_of_other_characters_is_damage(tmp_path: Path) -> None:
    storage = torch.ones(3000)._typed_storage().__reduce__()[1][0].decode("latin-1") + "Ā"
    spelt = call("_codecs.encode", text(storage), text("latin1"))
    (tmp_path / "x").write_bytes(START + dict_of(text("a"), call("torch.storage._load_from_bytes", spelt)) + b".")
    with pytest.raises(CorruptFileError, match="no bytes"):
        read_checkpoint(tmp_path / "x")


def test_networks_of_progressive_gan_are_called_by_their_name(tmp_path: Path) -> None:
    """They are data as those of StyleGAN; an architecture for them may be installed or not."""
    variables = {
        "lod": array(),
        "4x4/Dense/weight": array(4, 16),
        "4x4/Dense/bias": array(4),
        "ToRGB_lod0/weight": array(1, 1, 4, 3),
    }
    data = dumps(tf_network("G_paper", variables, num_channels=3), 2).replace(b"cdnnlib.tflib.network\n", b"ctfutil\n")
    (tmp_path / "karras2018.pkl").write_bytes(data)
    checkpoint = read_checkpoint(tmp_path / "karras2018.pkl")
    assert set(checkpoint.states[0].tensors) == set(variables)
    with pytest.raises(
        UnrecognisedCheckpointError, match=r"'G_paper_func' of NVIDIA's TensorFlow program of Progressive GAN\."
    ):
        recognise(checkpoint, KNOWN)


def test_a_network_whose_module_is_another_one_is_told_what_differs(tmp_path: Path) -> None:
    """NVIDIA's files carry the source of their modules: a project that changed it still calls its class Generator."""
    from ganzoo_stylegan.stylegan2.networks import StyleGAN2Generator
    from tests.checkpoint.nvidia_files import Persistent

    class Generator(Persistent):
        """The names of a StyleGAN2, and one layer of its own."""

    G = build_random(
        StyleGAN2Generator, {"image_size": 8, "widths": [4, 4], "z_dim": 5, "w_dim": 5, "mapping_layers": 2}, seed=1
    )
    changed = Generator(z_dim=5)
    changed.mapping, changed.synthesis = plain(G.mapping), plain(G.synthesis)
    changed.synthesis.extra = torch.nn.Parameter(torch.ones(3))
    (tmp_path / "x.pkl").write_bytes(dumps({"G_ema": changed}))
    with pytest.raises(UnrecognisedCheckpointError) as caught:
        recognise(read_checkpoint(tmp_path / "x.pkl"), KNOWN)
    assert "'Generator' of NVIDIA's PyTorch programs" in caught.value.message
    assert "unexpected: synthesis.extra" in caught.value.message


def plain(module: torch.nn.Module) -> torch.nn.Module:
    """A module of a class that any such file may hold, with the tensors of ``module``."""
    from tests.checkpoint.nvidia_files import Persistent

    class Part(Persistent):
        """A part of a network."""

    part = Part()
    for name, tensor in module.named_buffers(recurse=False):
        part.register_buffer(name, tensor)
    for name, parameter in module.named_parameters(recurse=False):
        part.register_parameter(name, parameter)
    for name, inner in module.named_children():
        part.add_module(name, plain(inner))
    return part

"""Files of these families, cut or with bits flipped anywhere: an error in words, or other weights; never anything else."""

import contextlib
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import ganzoo
from ganzoo.errors import ConfigError, CorruptFileError
from ganzoo.targets import import_target
from ganzoo_stylegan import ganzoo_architectures
from ganzoo_stylegan.stylegan2.networks import StyleGAN2Generator
from ganzoo_stylegan.stylegan2.rosinality import RosinalityGenerator
from ganzoo_stylegan.stylegan2.tensorflow import TensorFlowGenerator
from tests.checkpoint.nvidia_files import dumps, tf_network
from tests.plugins.stylegan.stylegan1 import port_formulas as ports
from tests.plugins.stylegan.stylegan2.test_networks import SMALL, filled
from tests.plugins.stylegan.stylegan2.test_ports import genforce_generator
from tests.support.damage import check_damaged

WIDTHS = [5, 4, 3]
POSITIONS = 24


def saved(content: Any, path: Path, *, zipped: bool) -> bytes:
    torch.save(content, path / "whole", _use_new_zipfile_serialization=zipped)
    return (path / "whole").read_bytes()


def rosinality1(path: Path) -> bytes:
    return saved({"g_running": ports.rosinality_generator(WIDTHS, 6, 2, [False] * 2, 1)}, path, zipped=True)


def lernapparat(path: Path) -> bytes:
    return saved(ports.lernapparat_generator(WIDTHS, 6, 2, 1), path, zipped=False)


def rosinality2(path: Path) -> bytes:
    G = filled(StyleGAN2Generator, {**SMALL, "equalised": True})
    return saved(
        {"g_ema": RosinalityGenerator().export(G.state_dict(), G.config), "latent_avg": torch.ones(5)}, path, zipped=True
    )


def tensorflow(path: Path) -> bytes:
    G = filled(StyleGAN2Generator, SMALL)
    state = {key: tensor.numpy() for key, tensor in TensorFlowGenerator().export(G.state_dict(), G.config).items()}

    def part(prefix: str) -> dict[str, Any]:
        return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}

    inside = {name: tf_network(name, part(f"{name}/")) for name in ("mapping", "synthesis")}
    return dumps(tf_network("Gs", {"lod": np.float32(0), "dlatent_avg": state["dlatent_avg"]}, inside), 2)


@pytest.mark.parametrize("made", [rosinality1, lernapparat, rosinality2, tensorflow])
def test_damage_anywhere_ends_in_words(made: Callable[[Path], bytes], tmp_path: Path) -> None:
    check_damaged(tmp_path / "x", made(tmp_path), random.Random(5), POSITIONS)


def test_readers_look_at_any_shapes_without_failing() -> None:
    rng = random.Random(1)
    G = filled(StyleGAN2Generator, SMALL)
    states = [
        *(
            ports.rosinality_generator(WIDTHS, 6, 2, [False] * 2, 1),
            ports.rosinality_discriminator(WIDTHS, [False] * 2, True, 1),
        ),
        *(ports.lernapparat_generator(WIDTHS, 6, 2, 1), ports.lernapparat_discriminator(WIDTHS, 8, 1)),
        ports.gan_zoo_generator(WIDTHS, 6, 2, 3, 1),
        *(reader().export(G.state_dict(), G.config) for reader in (RosinalityGenerator, TensorFlowGenerator)),
        genforce_generator(G),
        G.state_dict(),
    ]
    readers = [import_target(layout.reader, "x", None)() for a in ganzoo_architectures() for layout in a.layouts]
    for i in range(200):
        kept = {key: tuple(t.shape) for key, t in rng.choice(states).items() if rng.random() < 0.5 or i % 3 == 0}
        odd = {
            key: rng.choice([(), shape[:-1], (*shape, 2), tuple(rng.choice([0, 1, 10**6]) for _ in shape)])
            for key, shape in kept.items()
        }
        shapes = {key: odd[key] if rng.random() < 0.2 else shape for key, shape in kept.items()}
        for reader in readers:
            with contextlib.suppress(ConfigError):  # which says in words what is unknown
                config = reader.config(shapes)
                assert config is None or isinstance(config, dict)


def test_what_is_no_file_of_theirs_at_all(tmp_path: Path) -> None:
    for name, content, words in (("empty.pkl", b"", "is empty"), ("page.pkl", b"<!DOCTYPE html><p>Sign in", "web page")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(CorruptFileError, match=words):
            ganzoo.load(str(tmp_path / name))

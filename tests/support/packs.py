"""Golden packs: the state, inputs and outputs of a reference network, as data."""

import json
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor

GOLDEN = Path(__file__).parent.parent / "golden"
_EXTRA = os.environ.get("GANZOO_PARITY_DIR")  # read before the tests' fixtures clear the environment


@dataclass(frozen=True)
class Pack:
    """One golden pack. ``state``, ``inputs`` and ``outputs`` by name; ``meta`` says what was computed."""

    path: Path
    meta: dict[str, Any]
    state: dict[str, Tensor]
    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]

    def tolerance(self, name: str, dtype: torch.dtype) -> float:
        """Largest allowed error over the largest wanted value."""
        precision = "float64" if dtype == torch.float64 else "float32"
        key = f"{precision}_loss_and_gradients" if name in self.meta["outputs_of_the_loss_call"] else precision
        return self.meta["tolerance"][key]["atol_over_max_abs"]

    def compare(self, got: dict[str, Tensor], dtype: torch.dtype) -> None:
        """Every output of the pack, and nothing else, agrees within its tolerance."""
        suffix = ".f64" if dtype == torch.float64 else ""
        wanted = {name for name in self.outputs if not name.endswith(".f64")}
        assert set(got) == wanted
        for name in sorted(wanted):
            want = self.outputs[name + suffix]
            assert got[name].shape == want.shape, name
            error = float((got[name].detach().double() - want.double()).abs().max())
            allowed = self.tolerance(name, dtype) * float(want.double().abs().max())
            assert error <= allowed, f"{self.path.name} {name} {dtype}: {error} > {allowed}"


def read_pack(path: Path) -> Pack:
    """The pack in ``path``; tensors given by rule are made."""
    with safe_open(path, "pt") as file:
        meta = json.loads(file.metadata()["pack"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118

    def part(prefix: str) -> dict[str, Tensor]:
        return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}

    state = part("state/")
    recipe = meta.get("recipe", {"tensors": {}})
    for name, rule in recipe["tensors"].items():
        numbers = np.random.RandomState((zlib.crc32(name.encode()) ^ recipe["seed"]) & 0xFFFFFFFF)
        values = rule["mean"] + rule["std"] * numbers.standard_normal(int(np.prod(rule["shape"])))
        state[name] = torch.from_numpy(values.astype(np.float32).reshape(rule["shape"]))
    return Pack(path, meta, {name: state[name] for name in meta["state_order"]}, part("in/"), part("out/"))


def packs(pattern: str) -> list[Path]:
    """The packs whose file names match: those in the tree, and those in ``GANZOO_PARITY_DIR``."""
    folders = [GOLDEN, *([Path(_EXTRA)] if _EXTRA else [])]
    return sorted(path for folder in folders for path in folder.glob(f"{pattern}*.safetensors"))


def gradient_norms(loss: Tensor, parameters: dict[str, Tensor], outputs: dict[str, Tensor]) -> dict[str, Tensor]:
    """L2 norms of the loss's gradients for those parameters that the pack has them for."""
    names = [name.removeprefix("grad_norm/") for name in outputs if name.startswith("grad_norm/") and not name.endswith(".f64")]
    gradients = torch.autograd.grad(loss, [parameters[name] for name in names])
    return {f"grad_norm/{name}": gradient.double().norm() for name, gradient in zip(names, gradients, strict=True)}

"""Golden packs of operators: each holds cases, a call with its results and gradients."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor


@dataclass(frozen=True)
class OperatorCase:
    """One call. ``tensors`` by the name of the argument; ``wanted`` by name, those in double precision ending in ``.f64``."""

    pack: str
    name: str
    function: str
    tensors: dict[str, Tensor | None]
    arguments: dict[str, Any]
    wanted: dict[str, Tensor]
    tolerance: dict[torch.dtype, float]

    def __str__(self) -> str:
        return f"{self.pack}-{self.name}"

    def compare(self, got: dict[str, Tensor], dtype: torch.dtype) -> None:
        """Every result of the case, and nothing else, agrees within the pack's tolerance."""
        assert set(got) == {name for name in self.wanted if not name.endswith(".f64")}
        for name, tensor in got.items():
            want = self.wanted[f"{name}.f64" if dtype == torch.float64 else name]
            assert tensor.shape == want.shape and tensor.dtype == want.dtype, name
            error = float((tensor.detach().double() - want.double()).abs().max())
            allowed = self.tolerance[dtype] * float(want.double().abs().max())
            assert error <= allowed, f"{self} {name} {dtype}: {error} > {allowed}"


def operator_cases(path: Path) -> list[OperatorCase]:
    """The cases of the pack in ``path``."""
    with safe_open(path, "pt") as file:
        meta = json.loads(file.metadata()["pack"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    tolerance = {
        getattr(torch, precision): meta["tolerance"][precision]["atol_over_max_abs"] for precision in ("float32", "float64")
    }
    cases = []
    for name, case in meta["cases"].items():
        given = {role: None if key is None else tensors[key] for role, key in case["tensors"].items()}
        results = f"out/{name}/"
        wanted = {key.removeprefix(results): tensor for key, tensor in tensors.items() if key.startswith(results)}
        cases.append(OperatorCase(path.stem, name, case["function"], given, case["arguments"], wanted, tolerance))
    return cases

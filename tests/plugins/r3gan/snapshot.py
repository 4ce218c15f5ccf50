"""A snapshot of the authors' training program: whole networks of classes that nobody has installed, pickled by the test."""

import contextlib
import pickle
import re
import sys
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ganzoo_r3gan.layouts import MODULES

# Where a module stands, and its class. {Kind} is Generator or Discriminator, {Basis} and {Way} what belongs to it.
PLACES = (
    (r"", "{wrapper}.{Kind}"),
    (r"Model", "{package}.Networks.{Kind}"),
    (r".*MainLayers\.\d+", "{package}.Networks.{Kind}Stage"),
    (r".*NonLinearity\d", "{package}.FusedOperators.BiasedActivation{variant}"),
    (r".*Resampler", "{package}.Resamplers.Interpolative{Way}r{variant}"),
    (r".*(LinearLayer\d|AggregationLayer|ExtractionLayer)", "{package}.Networks.Convolution"),
    (r".*(MainLayers|Layers)", "torch.nn.modules.container.ModuleList"),
    (r".*(Layer|\.Basis)", "torch.nn.modules.conv.Conv2d"),
    (r".*EmbeddingLayer", "torch.nn.modules.linear.Linear"),
)
INSIDE = (
    ("LinearLayer1", "{package}.Networks.ResidualBlock"),
    ("Basis", "{package}.Networks.{Basis}Basis"),
    ("Resampler", "{package}.Networks.{Way}Layer"),
    ("Layer", "{package}.Networks.Convolution"),
    ("weight", "torch.nn.modules.linear.Linear"),
)
KINDS = {
    "generator": {"Kind": "Generator", "Basis": "Generative", "Way": "Upsample"},
    "discriminator": {"Kind": "Discriminator", "Basis": "Discriminative", "Way": "Downsample"},
}
REAL = {
    "torch.nn.modules.container.ModuleList": lambda: nn.ModuleList(),
    "torch.nn.modules.conv.Conv2d": lambda: nn.Conv2d(1, 1, 1, bias=False),
    "torch.nn.modules.linear.Linear": lambda: nn.Linear(1, 1, bias=False),
}


def class_name(place: str, inside: set[str], names: Mapping[str, str]) -> str:
    """The full name of the class of the module at ``place`` that holds these names."""
    layer = re.fullmatch(r".*\.(Layers\.\d+|LinearLayer)", place)
    rules = ((name in inside, cls) for name, cls in INSIDE) if layer else ((re.fullmatch(p, place), cls) for p, cls in PLACES)
    return next(cls for fits, cls in rules if fits).format(**names)


class Pickled:
    """Networks of classes that are made when they are needed.

    Args:
        package: Of the networks: ``R3GAN``, or ``BaselineGAN`` as it was called first.
        wrapper: Module of the training wrapper.
        variant: ``CUDA`` or ``Reference``: which of two classes some layers have.
    """

    def __init__(self, package: str, wrapper: str, variant: str) -> None:
        self.names = {"package": package, "wrapper": wrapper, "variant": variant}
        self.classes: dict[str, type[nn.Module]] = {}

    def network(self, role: str, state: Mapping[str, Tensor]) -> nn.Module:
        """The module whose state dict is ``state``."""
        inside: dict[str, set[str]] = {}
        for key in state:
            parts = key.split(".")
            for i in range(len(parts)):
                inside.setdefault(".".join(parts[:i]), set()).add(parts[i])
        modules = {place: self._empty(class_name(place, names, self.names | KINDS[role])) for place, names in inside.items()}
        for place, module in modules.items():
            if place:
                parent, _, name = place.rpartition(".")
                modules[parent].add_module(name, module)
        for key, tensor in state.items():
            place, _, name = key.rpartition(".")
            if name == "Kernel":
                modules[place].register_buffer(name, tensor)
            else:
                modules[place].register_parameter(name, nn.Parameter(tensor, requires_grad=False))
            modules[place].DataType = torch.bfloat16  # type: ignore[assignment]
        return modules[""].eval()

    def _empty(self, name: str) -> nn.Module:
        if name in REAL:
            return REAL[name]()
        cls = self.classes.setdefault(
            name, type(name.rpartition(".")[2], (nn.Module,), {"__module__": name.rpartition(".")[0]})
        )
        return cls()

    @contextlib.contextmanager
    def importable(self) -> Iterator[None]:
        """Makes Python believe that the classes are installed."""
        before = set(sys.modules)
        for name, cls in self.classes.items():
            module, _, attribute = name.rpartition(".")
            parts = module.split(".")
            for i in range(1, len(parts) + 1):
                sys.modules.setdefault(".".join(parts[:i]), types.ModuleType(parts[i - 1]))
            setattr(sys.modules[module], attribute, cls)
        try:
            yield
        finally:
            for name in set(sys.modules) - before:
                del sys.modules[name]


def snapshot(
    path: Path,
    networks: Mapping[str, tuple[str, Mapping[str, Tensor]]],
    *,
    package: str = "R3GAN",
    wrapper: str = "training.networks",
    variant: str = "CUDA",
    protocol: int = 4,
    extra: Mapping[str, Any] | None = None,
) -> Path:
    """Writes a snapshot with these networks: the name in the file to the role and the state dict."""
    pickled = Pickled(package, wrapper, variant)
    content: dict[str, Any] = {name: pickled.network(role, state) for name, (role, state) in networks.items()}
    content |= {"training_set_kwargs": {"path": "data.zip", "xflip": True, "max_size": 7}, "cur_nimg": 25_600}
    moments = {0: {"step": torch.tensor(3.0), "exp_avg": torch.zeros(50)}}
    content["G_opt_state"] = {"state": moments, "param_groups": [{"lr": 2e-4, "betas": (0.0, 0.9), "params": [0]}]}
    assert set(pickled.classes) <= MODULES
    with pickled.importable():
        path.write_bytes(pickle.dumps({**content, **(extra or {})}, protocol))
    return path

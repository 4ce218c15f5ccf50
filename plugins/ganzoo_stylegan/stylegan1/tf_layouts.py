"""The authors' pickles of TensorFlow networks: as genforce's checkpoints, but for names and the order of axes."""

import re
from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ganzoo.checkpoint import LayoutReader, Stated
from ganzoo.errors import ConfigError
from ganzoo_stylegan.stylegan1.layouts import MOST_STAGES, GenforceDiscriminator, GenforceGenerator
from ganzoo_stylegan.stylegan1.sizes import FIRST_SIZE, stages

if TYPE_CHECKING:
    from torch import Tensor

Shapes = Mapping[str, tuple[int, ...]]
_SIZE = re.compile(r"(?:synthesis/)?(\d{1,5})x\1/")
_TAPS = [1, 2, 1]
# What this architecture does not do otherwise: arguments of the authors' functions, and the only value they may have.
_FIXED = {
    "nonlinearity": "lrelu",
    "mapping_nonlinearity": "lrelu",
    "normalize_latents": True,
    "use_styles": True,
    "use_instance_norm": True,
    "use_pixel_norm": False,
}
_GENERATOR = {
    "mapping_lrmul": ("mapping_lr", (int, float)),
    "use_wscale": ("equalised", bool),
    "blur_filter": ("blur", (list, type(None))),
    "truncation_cutoff": ("truncation_cutoff", int),
    "style_mixing_prob": ("style_mixing", (int, float)),
}
_DISCRIMINATOR = {
    "use_wscale": ("equalised", bool),
    "blur_filter": ("blur", (list, type(None))),
    "mbstd_group_size": ("std_group", int),
}


class _TensorFlow(LayoutReader):
    """What both networks have in common.

    Attributes:
        port: Reads the same network in genforce's names.
        known: The authors' arguments that can be taken over: our name, and the types that make sense.
    """

    port: LayoutReader
    known: Mapping[str, tuple[str, Any]]

    def config(self, shapes: Shapes) -> dict[str, Any] | None:
        """As of the port."""
        sizes = [int(found[1]) for key in shapes if (found := _SIZE.match(key))]
        count = stages(max(sizes, default=0))
        if not 1 <= count <= MOST_STAGES:
            return None
        ported = {ported: _axes(key, shapes[key]) for ported, key in self._named(count).items() if key in shapes}
        config = self.port.config(ported)
        return config and {**config, "blur": _TAPS}  # nothing of a blur is stored

    def refine(self, config: dict[str, Any], stated: Stated) -> dict[str, Any] | None:
        """The arguments that were given to the authors' function; a network with others is refused.

        Raises:
            ConfigError: an argument that no network of ours has.
        """
        # The networks inside were given what the outer function did not know.
        given = {name: value for each in (*stated.parts.values(), stated) for name, value in each.arguments.items()}
        for name, value in _FIXED.items():
            if given.get(name, value) != value:
                raise ConfigError(f"This StyleGAN was built with {name}={given[name]!r}; only {value!r} is known.")
        made = dict(config)
        for name, (ours, types) in self.known.items():
            if name in given and isinstance(given[name], types):
                made[ours] = given[name]
        if isinstance(given.get("fused_scale"), bool) and "noise" in config:
            made["fused_up"] = given["fused_scale"]
        if given.get("label_size") == 1:
            made["num_classes"] = 1
        return made

    def keys(self, config: Mapping[str, Any]) -> dict[str, str]:
        """Every variable; those of a network inside behind its name."""
        names = self._named(stages(config["image_size"]))
        return {names[theirs]: ours for theirs, ours in self.port.keys(config).items() if theirs in names}

    def convert(self, state: Mapping[str, "Tensor"], config: Mapping[str, Any]) -> dict[str, "Tensor"]:
        """Through the port's tensors; the blur is made."""
        ported = {
            theirs: _turned(key, state[key])
            for theirs, key in self._named(stages(config["image_size"])).items()
            if key in state
        }
        for key in self.port.keys(config):
            if key.endswith(".blur.kernel"):
                ported[key] = _kernel(ported, key, config)
        return self.port.convert(ported, config)

    def export(self, state: Mapping[str, "Tensor"], config: Mapping[str, Any]) -> dict[str, "Tensor"]:
        """The inverse of `convert`; the blur is left out."""
        names = self._named(stages(config["image_size"]))
        ported = self.port.export(state, config)
        return {names[key]: _turned_back(names[key], tensor) for key, tensor in ported.items() if key in names}

    @abstractmethod
    def _named(self, count: int) -> dict[str, str]:
        """The port's key of every variable that a network of so many resolutions may have, and its name."""


class TensorFlowGenerator(_TensorFlow):
    """``G`` and ``Gs``."""

    port = GenforceGenerator()
    known = _GENERATOR

    def keys(self, config: Mapping[str, Any]) -> dict[str, str]:
        """As above; the level of detail is there twice, and the outer one decides."""
        return {**super().keys(config), "synthesis/lod": "synthesis.level.lod"}

    def export(self, state: Mapping[str, "Tensor"], config: Mapping[str, Any]) -> dict[str, "Tensor"]:
        """As above."""
        made = super().export(state, config)
        return {**made, "synthesis/lod": made["lod"].clone()}

    def _named(self, count: int) -> dict[str, str]:
        names = {
            "truncation.w_avg": "dlatent_avg",
            "synthesis.lod": "lod",
            "mapping.label_weight": "mapping/LabelConcat/weight",
        }
        for i in range(100):
            names |= _ends(f"mapping.dense{i}.", f"mapping/Dense{i}/")
        for i in range(2 * count):
            size = FIRST_SIZE << i // 2
            name = {0: "Const", 1: "Conv"}.get(i, ("Conv0_up", "Conv1")[i % 2])
            theirs, scope = f"synthesis.layer{i}.", f"synthesis/{size}x{size}/{name}/"
            names |= _ends(theirs, scope)
            names |= _ends(f"{theirs}style.", f"{scope}StyleMod/")
            names[f"{theirs}apply_noise.weight"] = f"{scope}Noise/weight"
            names[f"{theirs}apply_noise.noise"] = f"synthesis/noise{i}"
        names["synthesis.layer0.const"] = "synthesis/4x4/Const/const"
        for i in range(count):
            names |= _ends(f"synthesis.output{i}.", f"synthesis/ToRGB_lod{count - 1 - i}/")
        return names


class TensorFlowDenseGenerator(TensorFlowGenerator):
    """``G`` and ``Gs`` of configurations A to C of the paper's table 1, whose images begin with a linear map of ``w``."""

    def _named(self, count: int) -> dict[str, str]:
        names = super()._named(count)
        del names["synthesis.layer0.const"]
        return {key: name.replace("/4x4/Const/", "/4x4/Dense/") for key, name in names.items()}


class TensorFlowDiscriminator(_TensorFlow):
    """``D``."""

    port = GenforceDiscriminator()
    known = _DISCRIMINATOR

    def _named(self, count: int) -> dict[str, str]:
        names = {"lod": "lod"}
        for i in range(count):
            size = FIRST_SIZE << (count - 1 - i)
            names |= _ends(f"input{i}.", f"FromRGB_lod{i}/")
            for j, name in enumerate(("Conv0", "Conv1_down") if i < count - 1 else ("Conv", "Dense0", "Dense1")):
                names |= _ends(f"layer{2 * i + j}.", f"{size}x{size}/{name}/")
        return names


def _ends(theirs: str, scope: str) -> dict[str, str]:
    return {f"{theirs}weight": f"{scope}weight", f"{theirs}bias": f"{scope}bias"}


def _axes(key: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that a variable of this name and ``shape`` has in the port."""
    if key.endswith("/4x4/Dense/weight") and len(shape) == 2:
        return (shape[1] // FIRST_SIZE**2, shape[0], FIRST_SIZE, FIRST_SIZE)
    if not key.endswith("/weight") or key.endswith("/LabelConcat/weight"):
        return shape
    return (shape[3], shape[2], *shape[:2]) if len(shape) == 4 else shape[::-1]


def _turned(key: str, tensor: "Tensor") -> "Tensor":
    """A variable as the port has it: outputs first, then inputs, then the kernel."""
    if key.endswith("/4x4/Dense/weight"):
        return tensor.reshape(len(tensor), -1, FIRST_SIZE, FIRST_SIZE).transpose(0, 1).flip(2, 3)
    if not key.endswith("/weight") or key.endswith("/LabelConcat/weight"):
        return tensor
    return tensor.permute(3, 2, 0, 1) if tensor.ndim == 4 else tensor.t()


def _turned_back(key: str, tensor: "Tensor") -> "Tensor":
    if key.endswith("/4x4/Dense/weight"):
        return tensor.flip(2, 3).transpose(0, 1).flatten(1).contiguous()
    if not key.endswith("/weight") or key.endswith("/LabelConcat/weight"):
        return tensor
    return (tensor.permute(2, 3, 1, 0) if tensor.ndim == 4 else tensor.t()).contiguous()


def _kernel(ported: Mapping[str, "Tensor"], key: str, config: Mapping[str, Any]) -> "Tensor":
    """The kernel of a blur beside the convolution whose weight is among ``ported``."""
    import torch

    weight = ported[key.replace(".blur.kernel", ".weight")]
    line = torch.tensor(config["blur"], dtype=weight.dtype)
    line = line / line.sum()
    return torch.outer(line, line).repeat(weight.shape[0 if key.startswith("synthesis.") else 1], 1, 1, 1).to(weight.device)

"""The checkpoints of R3GAN's authors: their keys and shapes. No torch is needed to recognise them."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ganzoo.checkpoint import LayoutReader
from ganzoo.errors import ConfigError
from ganzoo_r3gan.stages import FIRST_SIZE, StageSizes, stage_sizes

Shapes = Mapping[str, tuple[int, ...]]
_STAGE = re.compile(r"MainLayers\.(\d{1,2})\.Layers\.(\d{1,2})\.(.+)")
_MOST_TAPS = 64  # of a resampling filter that anybody would use; the paper has 3
_STAGE_ARGUMENTS = ("image_size", "width", "widths", "cardinalities", "blocks", "expansion", "kernel_size")
_RESIDUAL = {
    "LinearLayer1.Layer.weight": "expand.weight",
    "LinearLayer2.Layer.weight": "grouped.weight",
    "LinearLayer3.Layer.weight": "project.weight",
    "NonLinearity1.Bias": "activation1.bias",
    "NonLinearity2.Bias": "activation2.bias",
}

# The classes in a snapshot of the authors' training program, which pickles whole networks. Their package had another name
# before publication, and some layers have one class for the CPU and one for GPUs.
_NETWORKS = (
    *("Generator", "Discriminator", "GeneratorStage", "DiscriminatorStage", "GenerativeBasis", "DiscriminativeBasis"),
    *("UpsampleLayer", "DownsampleLayer", "ResidualBlock", "Convolution"),
)
_VARIED = {"FusedOperators": ("BiasedActivation",), "Resamplers": ("InterpolativeUpsampler", "InterpolativeDownsampler")}
MODULES = frozenset(
    {
        *(f"training.{module}.{name}" for module in ("networks", "networks_baseline") for name in _NETWORKS[:2]),
        *(f"{package}.Networks.{name}" for package in ("R3GAN", "BaselineGAN") for name in _NETWORKS),
        *(
            f"{package}.{module}.{name}{variant}"
            for package in ("R3GAN", "BaselineGAN")
            for module, names in _VARIED.items()
            for name in names
            for variant in ("", "CUDA", "Reference")
        ),
        *("torch.nn.modules.conv.Conv2d", "torch.nn.modules.linear.Linear", "torch.nn.modules.container.ModuleList"),
    }
)


class BareGenerator(LayoutReader):
    """The generator itself, as its authors' networks name their tensors."""

    prefix: ClassVar[str] = ""
    classes = MODULES

    def config(self, shapes: Shapes) -> dict[str, Any] | None:
        """Everything but which stages are computed in bfloat16; of the filter the number of taps."""
        shapes = _without(self.prefix, shapes)
        stages, image = _stages(shapes), shapes.get("AggregationLayer.Layer.weight", ())
        basis, linear = (
            shapes.get("MainLayers.0.Layers.0.Basis", ()),
            shapes.get("MainLayers.0.Layers.0.LinearLayer.weight", ()),
        )
        if not stages or len(image) != 4 or len(basis) != 3 or len(linear) != 2:
            return None
        widths = [basis[0]]
        for stage in stages[1:]:
            widths.append(_first(stage.get("0.LinearLayer.Layer.weight"), widths[-1]))
        condition = _condition(shapes)
        latent_size = linear[1] - condition.get("embedding_size", 0)
        return _possible({"channels": image[0], "latent_size": latent_size, **_shared(stages, widths), **condition})

    def keys(self, config: Mapping[str, Any]) -> dict[str, str]:
        """Stages and layers in the same order as ours."""
        sizes = _sizes(config)
        keys = {"AggregationLayer.Layer.weight": "to_image.weight", **_embedding(config)}
        for i, size in enumerate(sizes):
            keys |= _stage_keys(i, _transition(sizes, i - 1, i) or {"Basis": "basis", "LinearLayer.weight": "linear.weight"}, 0)
            for block in range(size.blocks):
                keys |= _stage_keys(i, _RESIDUAL, 1 + block)
        return {self.prefix + theirs: ours for theirs, ours in keys.items()}


class BareDiscriminator(LayoutReader):
    """The discriminator itself; its stages stand from the image inwards, as in ours."""

    prefix: ClassVar[str] = ""
    classes = MODULES

    def config(self, shapes: Shapes) -> dict[str, Any] | None:
        """As for the generator."""
        shapes = _without(self.prefix, shapes)
        stages, image = _stages(shapes), shapes.get("ExtractionLayer.Layer.weight", ())
        if not stages or len(image) != 4:
            return None
        widths = [image[0]]
        for stage in stages[:-1]:
            change = next((shape for key, shape in stage.items() if key.endswith(".LinearLayer.Layer.weight")), None)
            widths.append(_first(change, widths[-1]))
        return _possible({"channels": image[1], **_shared(stages[::-1], widths[::-1]), **_condition(shapes)})

    def keys(self, config: Mapping[str, Any]) -> dict[str, str]:
        """Stages and layers in the same order as ours."""
        sizes = _sizes(config)[::-1]
        keys = {"ExtractionLayer.Layer.weight": "from_image.weight", **_embedding(config)}
        for i, size in enumerate(sizes):
            for block in range(size.blocks):
                keys |= _stage_keys(i, _RESIDUAL, block)
            end = {"Basis.weight": "basis", "LinearLayer.weight": "linear.weight"}
            keys |= _stage_keys(i, _transition(sizes, i, i + 1) or end, size.blocks)
        return {self.prefix + theirs: ours for theirs, ours in keys.items()}


class WrappedGenerator(BareGenerator):
    """The generator inside the training wrapper."""

    prefix = "Model."


class WrappedDiscriminator(BareDiscriminator):
    """The discriminator inside the training wrapper."""

    prefix = "Model."


# --- from shapes to arguments -----------------------------------------------------------------------------------------


def _without(prefix: str, shapes: Shapes) -> Shapes:
    """The tensors whose names begin with ``prefix``, without it."""
    return {key.removeprefix(prefix): shape for key, shape in shapes.items() if key.startswith(prefix)}


def _stages(shapes: Shapes) -> list[Shapes]:
    """The tensors of each stage by ``<layer>.<name>``; empty where a number is left out."""
    stages: dict[int, dict[str, tuple[int, ...]]] = {}
    for key, shape in shapes.items():
        if found := _STAGE.fullmatch(key):
            stages.setdefault(int(found[1]), {})[f"{found[2]}.{found[3]}"] = shape
    return [stages[i] for i in range(len(stages))] if sorted(stages) == list(range(len(stages))) else []


def _first(shape: tuple[int, ...] | None, otherwise: int) -> int:
    return shape[0] if shape else otherwise


def _shared(stages: Sequence[Shapes], widths: Sequence[int]) -> dict[str, Any]:
    """What both networks have, from their stages in order of size."""
    grouped = [_named(stage, ".LinearLayer2.Layer.weight") for stage in stages]
    blocks = [shape for found in grouped for shape in found]
    hidden = next(((found[0][0], width) for found, width in zip(grouped, widths, strict=True) if found), (2, 1))
    kernels = [shape for stage in stages for shape in _named(stage, ".Resampler.Kernel", dimensions=2)]
    config = {
        "image_size": FIRST_SIZE << (len(stages) - 1),
        "widths": list(widths),
        "cardinalities": [found[0][0] // max(1, found[0][1]) if found else 1 for found in grouped],
        "blocks": [len(found) for found in grouped],
        "expansion": hidden[0] // max(1, hidden[1]),
        "kernel_size": blocks[0][2] if blocks else 3,
    }
    # A kernel has one entry more than the filter that made it. Its values are stored; a filter of its length stands for them.
    taps = min(kernels[0][0] - 1, _MOST_TAPS) if kernels else 3
    return {**config, "resampling_filter": [math.comb(taps - 1, i) for i in range(taps)]}


def _possible(config: dict[str, Any]) -> dict[str, Any] | None:
    """``config``, or None where no network has such stages: then the file is none of ours, or damaged."""
    try:
        _sizes(config)
    except ConfigError:
        return None
    return config


def _named(stage: Shapes, ending: str, dimensions: int = 4) -> list[tuple[int, ...]]:
    return [shape for key, shape in stage.items() if key.endswith(ending) and len(shape) == dimensions]


def _condition(shapes: Shapes) -> dict[str, int]:
    embedding = shapes.get("EmbeddingLayer.weight", ())
    return {"num_classes": embedding[1], "embedding_size": embedding[0]} if len(embedding) == 2 else {"num_classes": 0}


# --- from arguments to keys -------------------------------------------------------------------------------------------


def _sizes(config: Mapping[str, Any]) -> list[StageSizes]:
    """Every stage, 4x4 first, of a network with these arguments."""
    return stage_sizes(**{name: value for name, value in config.items() if name in _STAGE_ARGUMENTS})


def _embedding(config: Mapping[str, Any]) -> dict[str, str]:
    return {"EmbeddingLayer.weight": "embedding.weight"} if config.get("num_classes") else {}


def _transition(sizes: Sequence[StageSizes], before: int, after: int) -> dict[str, str]:
    """Names inside the transition between two neighbours; empty at the end of the network."""
    if before < 0 or after >= len(sizes):
        return {}
    changes = sizes[before].width != sizes[after].width
    kernel = {"Resampler.Kernel": "resample.kernel"}
    return {**kernel, "LinearLayer.Layer.weight": "change.weight"} if changes else kernel


def _stage_keys(stage: int, names: Mapping[str, str], layer: int) -> dict[str, str]:
    theirs, ours = f"MainLayers.{stage}.Layers.{layer}.", f"stages.{stage}.layers.{layer}."
    return {theirs + their: ours + our for their, our in names.items()}

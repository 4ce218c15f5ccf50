"""Constructor arguments told from the shapes of a network's tensors, under the names that NVIDIA's programs and ours share."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ganzoo_stylegan.stylegan2.plans import FIRST_SIZE

Shapes = Mapping[str, tuple[int, ...]]
MOST_TAPS = 64  # of a resampling filter that anybody would use; the papers have 4 and 12
_LAYER = re.compile(r"mapping\.fc(\d{1,3})\.weight")


def generator_config(shapes: Shapes) -> dict[str, Any] | None:
    """The generator's arguments, or None where these are not its tensors."""
    sizes = _sizes(shapes, "synthesis.b{}.conv1.weight")
    if not sizes:
        return None
    convolutions = [shapes[f"synthesis.b{size}.conv1.weight"] for size in sizes]
    image = shapes.get(f"synthesis.b{sizes[-1]}.torgb.weight", ())
    affine = shapes.get(f"synthesis.b{FIRST_SIZE}.conv1.affine.weight", ())
    if len(image) != 4 or len(affine) != 2:
        return None
    mapping = _mapping(shapes, affine[1])
    first, second = f"synthesis.b{FIRST_SIZE}", f"synthesis.b{2 * FIRST_SIZE}"
    features, images = _taps(shapes, f"{second}.conv0", first), _taps(shapes, second, first)
    return {
        "image_size": sizes[-1],
        "channels": image[0],
        "z_dim": mapping.pop("inputs"),
        "w_dim": affine[1],
        "widths": [shape[0] for shape in convolutions],
        **mapping,
        "architecture": _architecture(shapes, "synthesis.b{}.torgb.weight", "synthesis.b{}.skip.weight", sizes[:-1], sizes[1:]),
        "kernel_size": convolutions[0][2],
        "use_noise": f"synthesis.b{FIRST_SIZE}.conv1.noise_strength" in shapes,
        "resample_filter": features,
        **({} if images == features else {"image_filter": images}),
    }


def discriminator_config(shapes: Shapes) -> dict[str, Any] | None:
    """The discriminator's arguments, or None where these are not its tensors."""
    sizes = _sizes(shapes, "b{}.conv0.weight", first=2 * FIRST_SIZE)
    end, out = shapes.get("b4.conv.weight", ()), shapes.get("b4.out.weight", ())
    image = shapes.get(f"b{sizes[-1]}.fromrgb.weight", ()) if sizes else ()
    if len(image) != 4 or len(end) != 4 or len(out) != 2:
        return None
    conditional = "mapping.embed.weight" in shapes
    mapping = _mapping(shapes, out[0]) if conditional else {"num_classes": 0, "inputs": 0}
    mapping.pop("inputs")
    return {
        "image_size": sizes[-1],
        "channels": image[1],
        "widths": [end[0], *(shapes[f"b{size}.conv0.weight"][0] for size in sizes)],
        **mapping,
        **({"class_vector_size": out[0]} if conditional else {}),
        "architecture": _architecture(shapes, "b{}.fromrgb.weight", "b{}.skip.weight", [FIRST_SIZE, *sizes[:-1]], sizes),
        "kernel_size": end[2],
        "mbstd_channels": end[1] - end[0],
        "resample_filter": _taps(shapes, f"b{sizes[-1]}", f"b{sizes[-1]}.conv1"),
    }


def _sizes(shapes: Shapes, pattern: str, first: int = FIRST_SIZE) -> list[int]:
    """The resolutions, from ``first`` on, that have a convolution."""
    sizes = []
    while len(shapes.get(pattern.format(first), ())) == 4:
        sizes.append(first)
        first *= 2
    return sizes


def _mapping(shapes: Shapes, w_dim: int) -> dict[str, Any]:
    """The arguments of the mapping network, and ``inputs``: the entries that come from ``z``."""
    layers = sorted(int(found[1]) for key in shapes if (found := _LAYER.fullmatch(key)))
    embed, first = shapes.get("mapping.embed.weight", ()), shapes.get("mapping.fc0.weight", ())
    classes = {"num_classes": embed[1], "embedding_size": embed[0]} if len(embed) == 2 else {"num_classes": 0}
    between = {"mapping_width": first[0]} if len(layers) > 1 and len(first) == 2 and first[0] != w_dim else {}
    entering = first[1] if len(first) == 2 else w_dim
    return {**classes, **between, "mapping_layers": len(layers), "inputs": entering - classes.get("embedding_size", 0)}


def _architecture(shapes: Shapes, image: str, residual: str, seen: Iterable[int], joined: Iterable[int]) -> str:
    if any(residual.format(size) in shapes for size in joined):
        return "resnet"
    sizes = list(seen)
    return "skip" if not sizes or any(image.format(size) in shapes for size in sizes) else "orig"


def _taps(shapes: Shapes, *layers: str) -> list[Any]:
    """A filter of the shape that the first of these layers has which has one: the values are in the file."""
    keys = (f"{layer}.resample_filter" for layer in layers)
    shape = next((shapes[key] for key in keys if key in shapes), (FIRST_SIZE, FIRST_SIZE))
    height, width = shape[0] if shape else 1, shape[-1] if shape else 1
    height, width = max(1, min(height, MOST_TAPS)), max(1, min(width, MOST_TAPS))
    known = {1: [1], 4: [1, 3, 3, 1]}.get(width, [1] * width)
    return known if len(shape) == 1 or height == width < 8 else [known] * height

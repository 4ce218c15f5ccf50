"""The authors' networks of TensorFlow as data: variables by the names of their program, written out from its scopes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from tests.checkpoint.nvidia_files import Network, tf_network


def numpy(tensor: Tensor) -> Any:
    return tensor.detach().float().numpy().copy(order="C")


def ends(state: Mapping[str, Tensor], key: str) -> dict[str, Any]:
    """Weight and bias of a layer, in the order of axes that TensorFlow has: kernel, inputs, outputs."""
    weight = state[f"{key}.weight"]
    axes = (2, 3, 1, 0) if weight.ndim == 4 else (1, 0)
    return {"weight": numpy(weight.permute(axes)), "bias": numpy(state[f"{key}.bias"])}


def scoped(scope: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{scope}/{name}": value for name, value in variables.items()}


def g_mapping(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """``G_mapping``, from a state of genforce."""
    made: dict[str, Any] = {}
    if "mapping.label_weight" in state:
        made["LabelConcat/weight"] = numpy(state["mapping.label_weight"])
    for i in range(sum(key.startswith("mapping.dense") and key.endswith("bias") for key in state)):
        made |= scoped(f"Dense{i}", ends(state, f"mapping.dense{i}"))
    return made


def g_synthesis(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """``G_synthesis``: scopes 4x4/Const or 4x4/Dense, 4x4/Conv, then NxN/Conv0_up and NxN/Conv1, and ToRGB_lodK."""
    made: dict[str, Any] = {"lod": np.float32(state["synthesis.lod"].item())}
    layers = sum(key.endswith(".style.bias") for key in state)
    for i in range(layers):
        key = f"synthesis.layer{i}"
        if f"{key}.apply_noise.noise" in state:
            made[f"noise{i}"] = numpy(state[f"{key}.apply_noise.noise"])
    for i in range(layers):
        key, size = f"synthesis.layer{i}", f"{4 << i // 2}x{4 << i // 2}"
        if f"{key}.const" in state:
            scope = f"{size}/Const"
            made |= {f"{scope}/const": numpy(state[f"{key}.const"]), f"{scope}/bias": numpy(state[f"{key}.bias"])}
        elif i == 0:  # y[n, c, i, j] is entry (c, i, j) of a product with w; the convolution sees the kernel from its end
            scope, weight = f"{size}/Dense", state[f"{key}.weight"].flip(2, 3)
            made |= {
                f"{scope}/weight": numpy(weight.flatten(2).permute(1, 0, 2).flatten(1)),
                f"{scope}/bias": numpy(state[f"{key}.bias"]),
            }
        else:
            scope = f"{size}/{'Conv' if i == 1 else ('Conv0_up', 'Conv1')[i % 2]}"
            made |= scoped(scope, ends(state, key))
        if f"{key}.apply_noise.weight" in state:
            made[f"{scope}/Noise/weight"] = numpy(state[f"{key}.apply_noise.weight"])
        made |= scoped(f"{scope}/StyleMod", ends(state, f"{key}.style"))
    for i in range(layers // 2):
        if f"synthesis.output{i}.bias" in state:
            made |= scoped(f"ToRGB_lod{layers // 2 - 1 - i}", ends(state, f"synthesis.output{i}"))
    return made


def g_style(state: Mapping[str, Tensor], name: str = "Gs", **arguments: Any) -> Network:
    """A generator in the authors' program, built with ``arguments``."""
    inside = {"synthesis": tf_network("G_synthesis", g_synthesis(state)), "mapping": tf_network("G_mapping", g_mapping(state))}
    outside = {"lod": np.float32(state["synthesis.lod"].item()), "dlatent_avg": numpy(state["truncation.w_avg"])}
    return tf_network(name, outside, inside, **arguments)


def d_basic(state: Mapping[str, Tensor], **arguments: Any) -> Network:
    """A discriminator in the authors' program."""
    made: dict[str, Any] = {"lod": np.float32(state["lod"].item())}
    stages = (sum(key.startswith("layer") and key.endswith("bias") for key in state) - 1) // 2
    for i in range(stages):
        size, inner = 4 << (stages - 1 - i), i < stages - 1
        if f"input{i}.bias" in state:
            made |= scoped(f"FromRGB_lod{i}", ends(state, f"input{i}"))
        for j, scope in enumerate(("Conv0", "Conv1_down") if inner else ("Conv", "Dense0", "Dense1")):
            made |= scoped(f"{size}x{size}/{scope}", ends(state, f"layer{2 * i + j}"))
    return tf_network("D", made, **arguments)

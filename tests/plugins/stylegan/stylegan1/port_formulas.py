"""Ports of StyleGAN written out on their own variables, as their files name them: slow, plain and independent of the zoo.

rosinality's and lernapparat's normalise with an epsilon of 1e-5. Blurs are [1, 2, 1] and enter as stored.
"""

import math
from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from tests.plugins.stylegan.stylegan1.formulas import act, doubled, summed

State = Mapping[str, Tensor]


def he(weight: Tensor, gain: float = math.sqrt(2)) -> Tensor:
    return weight * (gain / math.sqrt(weight[0].numel()))


def normal(x: Tensor) -> Tensor:
    centred = x - x.mean((2, 3), keepdim=True)
    return centred / torch.sqrt((centred**2).mean((2, 3), keepdim=True) + 1e-5)


def unit(z: Tensor) -> Tensor:
    return z / torch.sqrt((z**2).mean(1, keepdim=True) + 1e-8)


def blurred(x: Tensor, kernel: Tensor) -> Tensor:
    return F.conv2d(x, kernel.expand(x.shape[1], -1, -1, -1), padding=1, groups=x.shape[1])


def channels(bias: Tensor) -> Tensor:
    return bias[:, None, None]


# --- rosinality -------------------------------------------------------------------------------------------------------


def rosinality_w(state: State, z: Tensor) -> Tensor:
    x, i = unit(z), 1
    while f"style.{i}.linear.weight_orig" in state:
        x = act(x @ he(state[f"style.{i}.linear.weight_orig"]).t() + state[f"style.{i}.linear.bias"])
        i += 2
    return x


def rosinality_image(state: State, w: Tensor, noise: Sequence[Tensor], step: int, alpha: float = 1.0) -> Tensor:
    """``noise`` has an image for each resolution, which both of its layers get."""

    def end(x: Tensor, key: str, number: int, image: Tensor) -> Tensor:
        strength = state[f"{key}.noise{number}.weight_orig"]
        x = act(x + strength * math.sqrt(2 / strength.shape[1]) * image)
        style = f"{key}.adain{number}.style.linear"
        gamma, beta = (w @ he(state[f"{style}.weight_orig"]).t() + state[f"{style}.bias"]).chunk(2, 1)
        return gamma[:, :, None, None] * normal(x) + beta[:, :, None, None]

    def seen(x: Tensor, i: int) -> Tensor:
        rgb = f"generator.to_rgb.{i}.conv"
        return F.conv2d(x, he(state[f"{rgb}.weight_orig"]), state[f"{rgb}.bias"])

    x = before = torch.empty(0)
    for i in range(step + 1):
        key, before = f"generator.progression.{i}", x
        if i == 0:
            x = state[f"{key}.conv1.input"].repeat(len(w), 1, 1, 1)
        elif f"{key}.conv1.0.weight" in state:
            fused = state[f"{key}.conv1.0.weight"]  # inputs, outputs
            kernel = summed(fused * math.sqrt(2 / (fused.shape[0] * 9))) / 4
            x = F.conv_transpose2d(x, kernel, state[f"{key}.conv1.0.bias"], stride=2, padding=1)
            x = blurred(x, state[f"{key}.conv1.1.weight"])
        else:
            conv = f"{key}.conv1.1.conv"
            x = F.conv2d(doubled(x), he(state[f"{conv}.weight_orig"]), state[f"{conv}.bias"], padding=1)
            x = blurred(x, state[f"{key}.conv1.2.weight"])
        x = end(x, key, 1, noise[i])
        x = F.conv2d(x, he(state[f"{key}.conv2.conv.weight_orig"]), state[f"{key}.conv2.conv.bias"], padding=1)
        x = end(x, key, 2, noise[i])
    image = seen(x, step)
    return image if alpha == 1 else (1 - alpha) * doubled(seen(before, step - 1)) + alpha * image


def rosinality_score(state: State, image: Tensor, step: int, active: bool, alpha: float = 1.0) -> Tensor:
    last = max(int(key.split(".")[1]) for key in state if key.startswith("progression."))

    def seen(small: Tensor, i: int) -> Tensor:
        key = f"from_rgb.{i}.{'0.' if active else ''}conv"
        y = F.conv2d(small, he(state[f"{key}.weight_orig"]), state[f"{key}.bias"])
        return act(y) if active else y

    first = last - step
    x = seen(image, first)
    for i in range(first, last + 1):
        if i == last:
            deviation = torch.sqrt(((x - x.mean(0)) ** 2).mean(0) + 1e-8).mean()
            x = torch.cat([x, deviation.expand(len(x), 1, 4, 4)], 1)
        key = f"progression.{i}"
        x = act(F.conv2d(x, he(state[f"{key}.conv1.0.conv.weight_orig"]), state[f"{key}.conv1.0.conv.bias"], padding=1))
        if i == last:
            x = act(F.conv2d(x, he(state[f"{key}.conv2.0.conv.weight_orig"]), state[f"{key}.conv2.0.conv.bias"]))
            break
        weight = "conv2.1.weight" if f"{key}.conv2.1.weight" in state else "conv2.1.conv.weight_orig"
        bias = weight.replace("weight_orig", "bias").replace("weight", "bias")
        x = F.conv2d(
            blurred(x, state[f"{key}.conv2.0.weight"]), he(state[f"{key}.{weight}"]), state[f"{key}.{bias}"], padding=1
        )
        x = act(F.avg_pool2d(x, 2))
        if i == first and alpha < 1:
            x = (1 - alpha) * seen(F.avg_pool2d(image, 2), i + 1) + alpha * x
    return (x.flatten(1) @ he(state["linear.linear.weight_orig"]).t() + state["linear.linear.bias"])[:, 0]


def rosinality_generator(widths: Sequence[int], size: int, layers: int, fused: Sequence[bool], seed: int) -> dict[str, Tensor]:
    """Random weights under the names of a network with these widths, and fused layers or not above 4x4 pixels."""
    shapes: dict[str, tuple[int, ...]] = {}
    for i in range(layers):
        shapes |= {f"style.{2 * i + 1}.linear.bias": (size,), f"style.{2 * i + 1}.linear.weight_orig": (size, size)}
    for i, width in enumerate(widths):
        key = f"generator.progression.{i}"
        if i == 0:
            shapes[f"{key}.conv1.input"] = (1, width, 4, 4)
        elif fused[i - 1]:
            shapes |= {f"{key}.conv1.0.weight": (widths[i - 1], width, 3, 3), f"{key}.conv1.0.bias": (width,)}
        else:
            shapes |= {f"{key}.conv1.1.conv.weight_orig": (width, widths[i - 1], 3, 3), f"{key}.conv1.1.conv.bias": (width,)}
        for number in (1, 2):
            style = f"{key}.adain{number}.style.linear"
            shapes |= {f"{style}.weight_orig": (2 * width, size), f"{style}.bias": (2 * width,)}
            shapes[f"{key}.noise{number}.weight_orig"] = (1, width, 1, 1)
        shapes |= {f"{key}.conv2.conv.weight_orig": (width, width, 3, 3), f"{key}.conv2.conv.bias": (width,)}
        rgb = f"generator.to_rgb.{i}.conv"
        shapes |= {f"{rgb}.weight_orig": (3, width, 1, 1), f"{rgb}.bias": (3,)}
    state = random(shapes, seed)
    for i, width in enumerate(widths[1:], start=1):
        place = f"generator.progression.{i}.conv1.{1 if fused[i - 1] else 2}"
        state |= {f"{place}.weight": blur(width), f"{place}.weight_flip": blur(width)}
    return state


def rosinality_discriminator(widths: Sequence[int], fused: Sequence[bool], active: bool, seed: int) -> dict[str, Tensor]:
    """Likewise; ``widths`` from 4x4 pixels on, as those of the generator."""
    shapes: dict[str, tuple[int, ...]] = {}
    large = list(widths[::-1])
    for i, width in enumerate(large):
        key, last = f"progression.{i}", i == len(large) - 1
        outputs, kernel = (width, 4) if last else (large[i + 1], 3)
        inner = "conv2.0.conv" if last else "conv2.1.conv"
        shapes |= {f"{key}.conv1.0.conv.weight_orig": (outputs, width + last, 3, 3), f"{key}.conv1.0.conv.bias": (outputs,)}
        if not last and fused[len(large) - 2 - i]:
            shapes |= {f"{key}.conv2.1.weight": (outputs, outputs, 3, 3), f"{key}.conv2.1.bias": (outputs,)}
        else:
            shapes |= {f"{key}.{inner}.weight_orig": (outputs, outputs, kernel, kernel), f"{key}.{inner}.bias": (outputs,)}
        rgb = f"from_rgb.{i}.{'0.' if active else ''}conv"
        shapes |= {f"{rgb}.weight_orig": (width, 3, 1, 1), f"{rgb}.bias": (width,)}
    shapes |= {"linear.linear.weight_orig": (1, large[-1]), "linear.linear.bias": (1,)}
    state = random(shapes, seed)
    for i, width in enumerate(large[1:]):
        state |= {f"progression.{i}.conv2.0.{name}": blur(width) for name in ("weight", "weight_flip")}
    return state


# --- lernapparat ------------------------------------------------------------------------------------------------------


def lernapparat_w(state: State, z: Tensor) -> Tensor:
    x, i = unit(z), 0
    while f"g_mapping.dense{i}.weight" in state:
        x = act(x @ he(state[f"g_mapping.dense{i}.weight"]).t() * 0.01 + state[f"g_mapping.dense{i}.bias"] * 0.01)
        i += 1
    return x


def lernapparat_image(state: State, ws: Tensor, noise: Sequence[Tensor]) -> Tensor:
    def ended(x: Tensor, key: str, number: int, i: int) -> Tensor:
        epilogue = f"{key}.epi{number}"
        x = act(x + channels(state[f"{epilogue}.top_epi.noise.weight"]) * noise[i])
        lin = f"{epilogue}.style_mod.lin"
        style = ws[:, i] @ he(state[f"{lin}.weight"], 1.0).t() + state[f"{lin}.bias"]
        scale, shift = style.view(len(ws), 2, -1, 1, 1).unbind(1)
        return normal(x) * (scale + 1) + shift

    x = torch.empty(0)
    for i in range(ws.shape[1] // 2):
        size = 4 << i
        key = f"g_synthesis.blocks.{size}x{size}"
        if i == 0:
            x = (state[f"{key}.const"] + channels(state[f"{key}.bias"])).repeat(len(ws), 1, 1, 1)
        else:
            w = he(state[f"{key}.conv0_up.weight"])
            up = (
                F.conv_transpose2d(x, summed(w).transpose(0, 1), stride=2, padding=1)
                if size >= 128
                else F.conv2d(doubled(x), w, padding=1)
            )
            x = blurred(up, state[f"{key}.conv0_up.intermediate.kernel"]) + channels(state[f"{key}.conv0_up.bias"])
        x = ended(x, key, 1, 2 * i)
        conv = f"{key}.{'conv' if i == 0 else 'conv1'}"
        x = ended(F.conv2d(x, he(state[f"{conv}.weight"]), state[f"{conv}.bias"], padding=1), key, 2, 2 * i + 1)
    return F.conv2d(x, he(state["g_synthesis.torgb.weight"], 1.0), state["g_synthesis.torgb.bias"])


def lernapparat_score(state: State, image: Tensor, size: int) -> Tensor:
    x = act(F.conv2d(image, he(state["fromrgb.weight"]), state["fromrgb.bias"]))
    while size > 4:
        key = f"{size}x{size}"
        x = act(F.conv2d(x, he(state[f"{key}.conv0.weight"]), state[f"{key}.conv0.bias"], padding=1))
        x = F.conv2d(blurred(x, state[f"{key}.blur.kernel"]), he(state[f"{key}.conv1_down.weight"]), padding=1)
        x = act(F.avg_pool2d(x, 2) + channels(state[f"{key}.conv1_down.bias"]))
        size //= 2
    groups = [
        torch.sqrt(((g - g.mean(0)) ** 2).mean(0) + 1e-8).mean() for g in (x[i :: len(x) // 4] for i in range(len(x) // 4))
    ]
    deviations = torch.stack([groups[i % len(groups)] for i in range(len(x))])
    x = torch.cat([x, deviations[:, None, None, None].expand(-1, 1, 4, 4)], 1)
    x = act(F.conv2d(x, he(state["4x4.conv.weight"]), state["4x4.conv.bias"], padding=1)).flatten(1)
    x = act(x @ he(state["4x4.dense0.weight"]).t() + state["4x4.dense0.bias"])
    return (x @ he(state["4x4.dense1.weight"], 1.0).t() + state["4x4.dense1.bias"])[:, 0]


def lernapparat_generator(widths: Sequence[int], size: int, layers: int, seed: int) -> dict[str, Tensor]:
    """Random weights under the names of such a network."""
    shapes: dict[str, tuple[int, ...]] = {}
    for i in range(layers):
        shapes |= {f"g_mapping.dense{i}.weight": (size, size), f"g_mapping.dense{i}.bias": (size,)}
    for i, width in enumerate(widths):
        key = f"g_synthesis.blocks.{4 << i}x{4 << i}"
        if i == 0:
            shapes |= {f"{key}.const": (1, width, 4, 4), f"{key}.bias": (width,)}
        else:
            shapes |= {f"{key}.conv0_up.weight": (width, widths[i - 1], 3, 3), f"{key}.conv0_up.bias": (width,)}
        conv = f"{key}.{'conv' if i == 0 else 'conv1'}"
        shapes |= {f"{conv}.weight": (width, width, 3, 3), f"{conv}.bias": (width,)}
        for number in (1, 2):
            shapes[f"{key}.epi{number}.top_epi.noise.weight"] = (width,)
            lin = f"{key}.epi{number}.style_mod.lin"
            shapes |= {f"{lin}.weight": (2 * width, size), f"{lin}.bias": (2 * width,)}
    shapes |= {"g_synthesis.torgb.weight": (3, widths[-1], 1, 1), "g_synthesis.torgb.bias": (3,)}
    blurs = (f"g_synthesis.blocks.{4 << i}x{4 << i}.conv0_up.intermediate.kernel" for i in range(1, len(widths)))
    return {**random(shapes, seed), **{key: blur(1) for key in blurs}}


def lernapparat_discriminator(widths: Sequence[int], dense: int, seed: int) -> dict[str, Tensor]:
    """Likewise."""
    shapes: dict[str, tuple[int, ...]] = {"fromrgb.weight": (widths[-1], 3, 1, 1), "fromrgb.bias": (widths[-1],)}
    fixed: dict[str, Tensor] = {}
    for i, width in enumerate(widths[1:], start=1):
        key = f"{4 << i}x{4 << i}"
        shapes |= {f"{key}.conv0.weight": (width, width, 3, 3), f"{key}.conv0.bias": (width,)}
        shapes |= {f"{key}.conv1_down.weight": (widths[i - 1], width, 3, 3), f"{key}.conv1_down.bias": (widths[i - 1],)}
        fixed |= {f"{key}.blur.kernel": blur(1), f"{key}.conv1_down.downscale.blur.kernel": torch.full((1, 1, 2, 2), 0.25)}
    first = widths[0]
    shapes |= {"4x4.conv.weight": (first, first + 1, 3, 3), "4x4.conv.bias": (first,)}
    shapes |= {"4x4.dense0.weight": (dense, 16 * first), "4x4.dense0.bias": (dense,)}
    shapes |= {"4x4.dense1.weight": (1, dense), "4x4.dense1.bias": (1,)}
    return {**random(shapes, seed), **fixed}


# --- pytorch_GAN_zoo --------------------------------------------------------------------------------------------------


def gan_zoo_layer(state: State, key: str, rate: float = 1.0) -> tuple[Tensor, Tensor]:
    """Weight and bias as they are used."""
    weight = state[f"{key}.module.weight"]
    constant = math.sqrt(2 / weight[0].numel()) * rate
    return weight * constant, state[f"{key}.module.bias"] * constant


def gan_zoo_w(state: State, z: Tensor) -> Tensor:
    x, i = unit(z), 0
    while f"mapping.FC.{i}.module.weight" in state:
        weight, bias = gan_zoo_layer(state, f"mapping.FC.{i}", 0.01)
        x = act(x @ weight.t() + bias)
        i += 1
    return x


def gan_zoo_image(state: State, w: Tensor, noise: Sequence[Tensor], alpha: float = 0.0) -> Tensor:
    """``noise`` has an image for each layer; ``alpha`` is the share of the second largest resolution."""

    def ended(x: Tensor, modulator: str, adain: str, image: Tensor) -> Tensor:
        x = act(x + state[f"{modulator}.module.weight"] * image)
        weight, bias = gan_zoo_layer(state, f"{adain}.styleModulator")
        scale, shift = (w @ weight.t() + bias)[:, :, None, None].chunk(2, 1)
        centred = x - x.mean((2, 3), keepdim=True)
        return scale * centred / torch.sqrt((centred**2).mean((2, 3), keepdim=True) + 1e-8) + shift

    def convolved(x: Tensor, key: str) -> Tensor:
        weight, bias = gan_zoo_layer(state, key)
        return F.conv2d(x, weight, bias, padding=weight.shape[-1] // 2)

    x = ended(state["baseScale0"].expand(len(w), -1, -1, -1), "noiseMod00", "adain00", noise[0])
    x = ended(convolved(x, "conv0"), "noiseMod01", "adain01", noise[1])
    images, i = [], 0
    while f"toRGBLayers.{i}.module.weight" in state:
        key, modulator = f"scaleLayers.{i}", f"noiseModulators.{i}"
        x = ended(convolved(doubled(x), f"{key}.0"), f"{modulator}.0", f"{key}.1", noise[2 * i + 2])
        x = ended(convolved(x, f"{key}.2"), f"{modulator}.1", f"{key}.3", noise[2 * i + 3])
        images.append(convolved(x, f"toRGBLayers.{i}"))
        i += 1
    return (1 - alpha) * images[-1] + alpha * doubled(images[-2]) if alpha else images[-1]


def gan_zoo_generator(widths: Sequence[int], size: int, layers: int, channels: int, seed: int) -> dict[str, Tensor]:
    """Random weights under the names of such a network; ``size`` is that of ``z``, the others are as wide as the first maps."""
    w = widths[0]
    shapes: dict[str, tuple[int, ...]] = {"baseScale0": (1, w, 4, 4), "mean_w": (1, w)}

    def layer(key: str, *shape: int) -> None:
        shapes.update({f"{key}.module.weight": shape, f"{key}.module.bias": shape[:1]})

    for i in range(layers):
        layer(f"mapping.FC.{i}", w, w if i else size)
    layer("conv0", w, w, 3, 3)
    for j in (0, 1):
        layer(f"adain0{j}.styleModulator", 2 * w, w)
        shapes[f"noiseMod0{j}.module.weight"] = (1, 1, 1, 1)
    for i, width in enumerate(widths[1:]):
        for j in (0, 1):
            layer(f"scaleLayers.{i}.{2 * j}", width, width if j else widths[i], 3, 3)
            layer(f"scaleLayers.{i}.{2 * j + 1}.styleModulator", 2 * width, w)
            shapes[f"noiseModulators.{i}.{j}.module.weight"] = (1, 1, 1, 1)
        layer(f"toRGBLayers.{i}", channels, width, 1, 1)
    return random(shapes, seed)


def random(shapes: Mapping[str, tuple[int, ...]], seed: int) -> dict[str, Tensor]:
    rng = torch.Generator().manual_seed(seed)
    return {key: torch.randn(*shape, generator=rng) for key, shape in shapes.items()}


def blur(count: int) -> Tensor:
    line = torch.tensor([1.0, 2.0, 1.0]) / 4
    return torch.outer(line, line).repeat(count, 1, 1, 1)

"""Seconds an image of BigGAN's generators against the plain formulation of the references, on one CPU thread.

    python benchmarks/biggan.py                          # all of them, about three minutes
    python benchmarks/biggan.py --only biggan-deep-256   # one of them

The references normalise every weight anew in every call, keep the channels outermost in memory, repeat pixels before they
convolve them, and let the allocator give freed memory back to the system. They are written out below, on the references' own
key names. Ours is ``ganzoo``'s network in inference mode. Each formulation runs in processes of its own, in turns; the fastest
image of each counts. ``kept`` says what keeping freed memory does to each of them (glibc: ``MALLOC_MMAP_THRESHOLD_`` and
``MALLOC_TRIM_THRESHOLD_``). Weights are random: nothing here depends on their values. The images of both are compared first.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ganzoo.building import build_random
from ganzoo.models import ImageGenerator
from ganzoo.nn import SpectralNorm
from ganzoo_biggan.deep import BigGANDeepGenerator
from ganzoo_biggan.layouts import BigGANDeepGeneratorReader, BigGANGeneratorReader
from ganzoo_biggan.networks import BigGANGenerator
from ganzoo_biggan.tabulated import BigGANDeepTabulatedGenerator
from ganzoo_biggan.tabulated_layouts import TabulatedGeneratorReader

State = Mapping[str, Tensor]
KEPT = {"MALLOC_MMAP_THRESHOLD_": str(2**32), "MALLOC_TRIM_THRESHOLD_": str(2**34)}  # bytes: never give memory back
LAYERS_256 = [
    [i % 2 == 1, a, b]
    for i, (a, b) in enumerate(zip(*[[16, 16, 16, 16, 8, 8, 8, 8, 4, 4, 2, 2, 1][k:][:12] for k in (0, 1)], strict=True))
]
MODELS: dict[str, tuple[type[ImageGenerator], dict[str, Any], type, str]] = {
    "biggan-128": (BigGANGenerator, {"num_classes": 1000}, BigGANGeneratorReader, "biggan"),
    "biggan-deep-128": (BigGANDeepGenerator, {"num_classes": 1000}, BigGANDeepGeneratorReader, "deep"),
    "biggan-deep-256": (BigGANDeepGenerator, {"image_size": 256, "num_classes": 1000}, BigGANDeepGeneratorReader, "deep"),
    "biggan-deep-hf-256": (BigGANDeepTabulatedGenerator, {"layers": LAYERS_256}, TabulatedGeneratorReader, "tabulated"),
}


# --- the references' formulation, on their own key names --------------------------------------------------------------


def weight(state: State, key: str, eps: float) -> Tensor:
    """The weight as the reference computes it in every call: one power iteration, or the division by the stored one's value."""
    if f"{key}.weight_orig" in state:
        w = state[f"{key}.weight_orig"]
        return w / torch.dot(state[f"{key}.weight_u"], w.flatten(1) @ state[f"{key}.weight_v"])
    w = state[f"{key}.weight"]
    if f"{key}.u0" not in state:
        return w
    matrix = w.flatten(1)
    with torch.no_grad():
        v = F.normalize(state[f"{key}.u0"] @ matrix, eps=eps)
        u = F.normalize(v @ matrix.t(), eps=eps)
    return w / (v @ matrix.t() @ u.t()).squeeze()


def convolved(state: State, key: str, x: Tensor, eps: float) -> Tensor:
    w = weight(state, key, eps)
    return F.conv2d(x, w, state.get(f"{key}.bias"), padding=w.shape[-1] // 2)


def attended(state: State, key: str, x: Tensor, eps: float, names: tuple[str, ...] = ("theta", "phi", "g", "o")) -> Tensor:
    theta, phi, g = (convolved(state, f"{key}.{name}", x, eps) for name in names[:3])
    phi, g = F.max_pool2d(phi, 2).flatten(2), F.max_pool2d(g, 2).flatten(2)
    beta = torch.softmax(torch.bmm(theta.flatten(2).transpose(1, 2), phi), -1)
    mixed = torch.bmm(g, beta.transpose(1, 2)).view(len(x), -1, *x.shape[2:])
    return state[f"{key}.gamma"] * convolved(state, f"{key}.{names[3]}", mixed, eps) + x


def conditioned(state: State, key: str, x: Tensor, y: Tensor, norm_eps: float, eps: float) -> Tensor:
    """Conditional batch normalisation: of a vector, or of a class that each layer has its own gains for."""
    if y.is_floating_point():
        gain, bias = (F.linear(y, weight(state, f"{key}.{name}", eps)) for name in ("gain", "bias"))
    else:
        gain, bias = (F.embedding(y, state[f"{key}.{name}.weight"]) for name in ("gain", "bias"))
    x = F.batch_norm(x, state[f"{key}.stored_mean"], state[f"{key}.stored_var"], None, None, False, 0.1, norm_eps)
    return x * (1 + gain)[:, :, None, None] + bias[:, :, None, None]


def finished(state: State, x: Tensor, eps: float) -> Tensor:
    parts = (state[f"output_layer.0.{name}"] for name in ("stored_mean", "stored_var", "gain", "bias"))
    return torch.tanh(convolved(state, "output_layer.2", F.relu(F.batch_norm(x, *parts, False, 0.1, 1e-5)), eps))


def biggan(state: State, z: Tensor, c: Tensor, *, norm_eps: float = 1e-5, eps: float = 1e-12, bottom: int = 4) -> Tensor:
    """BigGAN-PyTorch's BigGAN; with a shared embedding hierarchical where the sizes say so."""
    count = 1 + max(int(key.split(".")[1]) for key in state if key.startswith("blocks."))
    y = F.embedding(c, state["shared.weight"]) if "shared.weight" in state else c
    chunk = state["linear.weight"].shape[1]
    z, *rest = z.split(chunk, 1)
    h = F.linear(z, weight(state, "linear", eps), state["linear.bias"]).view(len(z), -1, bottom, bottom)
    for i in range(count):
        key, condition = f"blocks.{i}.0", torch.cat([y, rest[i]], 1) if rest else y
        x, h = h, F.relu(conditioned(state, f"{key}.bn1", h, condition, norm_eps, eps))
        h, x = F.interpolate(h, scale_factor=2), F.interpolate(x, scale_factor=2)
        h = F.relu(conditioned(state, f"{key}.bn2", convolved(state, f"{key}.conv1", h, eps), condition, norm_eps, eps))
        h = convolved(state, f"{key}.conv2", h, eps) + convolved(state, f"{key}.conv_sc", x, eps)
        h = attended(state, f"blocks.{i}.1", h, eps) if f"blocks.{i}.1.gamma" in state else h
    return finished(state, h, eps)


def deep(
    state: State, z: Tensor, c: Tensor, *, depth: int = 2, norm_eps: float = 1e-5, eps: float = 1e-12, bottom: int = 4
) -> Tensor:
    """BigGAN-PyTorch's BigGAN-deep."""
    count = 1 + max(int(key.split(".")[1]) for key in state if key.startswith("blocks."))
    y = torch.cat([F.embedding(c, state["shared.weight"]), z], 1)
    h = F.linear(y, weight(state, "linear", eps), state["linear.bias"]).view(len(z), -1, bottom, bottom)
    for i in range(count):
        h = bottleneck(
            h,
            i % depth == depth - 1,
            lambda n, x, key=f"blocks.{i}.0": conditioned(state, f"{key}.bn{n + 1}", x, y, norm_eps, eps),
            lambda n, x, key=f"blocks.{i}.0": convolved(state, f"{key}.conv{n + 1}", x, eps),
        )
        h = attended(state, f"blocks.{i}.1", h, eps) if f"blocks.{i}.1.gamma" in state else h
    return finished(state, h, eps)


def bottleneck(
    x: Tensor, doubles: bool, norm: Callable[[int, Tensor], Tensor], conv: Callable[[int, Tensor], Tensor]
) -> Tensor:
    """A deep block of either reference."""
    h = F.relu(norm(1, conv(0, F.relu(norm(0, x)))))
    if doubles:
        h, x = F.interpolate(h, scale_factor=2), F.interpolate(x, scale_factor=2)
    h = conv(3, F.relu(norm(3, conv(2, F.relu(norm(2, conv(1, h)))))))
    return h + x[:, : h.shape[1]]


def tabulated(
    state: State, z: Tensor, c: Tensor, *, layers: list[list[int]] = LAYERS_256, truncation: float = 1.0, norm_eps: float = 1e-4
) -> Tensor:
    """pytorch-pretrained-BigGAN's BigGAN-deep; ``c`` is a class or a mixture."""
    mixture = c if c.is_floating_point() else F.one_hot(c, state["embeddings.weight"].shape[1]).to(z)
    y = torch.cat([z, F.linear(mixture, state["embeddings.weight"])], 1)
    steps = len(state["generator.bn.running_means"]) - 1
    place = truncation / (1.0 / steps)
    row = int(place)

    def statistics(key: str) -> list[Tensor]:
        tables = [state[f"{key}.running_{name}"] for name in ("means", "vars")]
        if place == row:
            return [table[row] for table in tables]
        return [table[row] * (place - row) + table[row + 1] * (1 - (place - row)) for table in tables]

    def norm(key: str, x: Tensor) -> Tensor:
        mean, var = (s[:, None, None] for s in statistics(key))
        gain, bias = (F.linear(y, weight(state, f"{key}.{name}", 0)) for name in ("scale", "offset"))
        return (x - mean) / torch.sqrt(var + norm_eps) * (1 + gain)[:, :, None, None] + bias[:, :, None, None]

    h = F.linear(y, weight(state, "generator.gen_z", 0), state["generator.gen_z.bias"])
    h = h.view(len(z), 4, 4, -1).permute(0, 3, 1, 2).contiguous()
    place_of_attention = next((int(key.split(".")[2]) for key in state if key.endswith(".gamma")), len(layers))
    for i, (doubles, _, _) in enumerate(layers):
        if i == place_of_attention:
            names = tuple(f"snconv1x1_{name}" for name in ("theta", "phi", "g", "o_conv"))
            h = attended(state, f"generator.layers.{i}", h, 0, names)
        key = f"generator.layers.{i + (i >= place_of_attention)}"
        h = bottleneck(
            h,
            bool(doubles),
            lambda n, x, key=key: norm(f"{key}.bn_{n}", x),
            lambda n, x, key=key: convolved(state, f"{key}.conv_{n}", x, 0),
        )
    bn = "generator.bn"
    h = F.relu(F.batch_norm(h, *statistics(bn), state[f"{bn}.weight"], state[f"{bn}.bias"], False, 0.1, norm_eps))
    return torch.tanh(convolved(state, "generator.conv_to_rgb", h, 0)[:, :3])


# --- timing -----------------------------------------------------------------------------------------------------------


def seconds(make: Callable[[], Tensor], repeats: int) -> float:
    make()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        make()
        times.append(time.process_time() - start)
    return min(times)


def measure(name: str, formulation: str, repeats: int, batch: int) -> dict[str, float]:
    """CPU seconds an image of one formulation, in this process; and how far the two are apart."""
    torch.set_num_threads(1)
    cls, config, reader, reference = MODELS[name]
    network = build_random(cls, {**config, "initialisation": "xavier"}, seed=0)  # orthogonal matrices take long to draw
    z = torch.randn(batch, *network.latent_shape, generator=torch.Generator().manual_seed(0))
    c = torch.arange(batch)
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, SpectralNorm):
                layer.normalised_weight()  # in training mode: with the vectors that it begins with, images would be no numbers
    network.eval()
    state = reader().export(network.state_dict(), network.config)
    plain = {"biggan": biggan, "deep": deep, "tabulated": tabulated}[reference]
    makes = {"reference": lambda: plain(state, z, c), "ours": lambda: network(z, c)}
    with torch.no_grad() if formulation == "reference" else torch.inference_mode():
        difference = float((makes["reference"]() - makes["ours"]()).abs().max())
        return {"seconds": seconds(makes[formulation], repeats) / batch, "difference": difference}


def in_process(name: str, formulation: str, *, kept: bool, repeats: int, batch: int) -> dict[str, float]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **(KEPT if kept else {})}
    command = [
        sys.executable,
        __file__,
        "--only",
        name,
        "--measure",
        formulation,
        "--repeats",
        str(repeats),
        "--batch",
        str(batch),
    ]
    made = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    result: dict[str, float] = json.loads(made.stdout)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=MODELS, help="one generator")
    parser.add_argument("--repeats", type=int, default=4, help="images of each process")
    parser.add_argument("--rounds", type=int, default=2, help="processes of each formulation")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--measure", choices=("reference", "ours"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.only, arguments.measure, arguments.repeats, arguments.batch)))
        return
    size = {"repeats": arguments.repeats, "batch": arguments.batch}
    for name in [arguments.only] if arguments.only else MODELS:
        ways = [("reference", False), ("reference", True), ("ours", False), ("ours", True)]
        rounds = [[in_process(name, which, kept=kept, **size) for which, kept in ways] for _ in range(arguments.rounds)]
        times = [min(run[i]["seconds"] for run in rounds) for i in range(len(ways))]
        difference = max(result["difference"] for run in rounds for result in run)
        print(
            f"{name}, batch {arguments.batch}: reference {times[0]:.3f} s an image, kept {times[1]:.3f}; "
            f"ours {times[2]:.3f}, kept {times[3]:.3f}; {times[0] / times[2]:.2f} times as fast, "
            f"{times[0] / times[3]:.2f} with memory kept; images differ by {difference:.1e}",
            flush=True,
        )


if __name__ == "__main__":
    main()

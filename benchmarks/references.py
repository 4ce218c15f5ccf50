"""The large generators beside the public programs that they agree with, which you bring: seconds and memory of both in one run.

    git clone https://github.com/NVlabs/stylegan3                            # has StyleGAN2, too
    git clone https://github.com/huggingface/pytorch-pretrained-BigGAN
    python benchmarks/references.py --stylegan stylegan3 --biggan pytorch-pretrained-BigGAN
    python benchmarks/references.py --stylegan stylegan3 --only stylegan2-1024

The programs are imported from these folders and need their own requirements (SciPy; boto3 and requests; ``pkg_resources`` of a
setuptools before 81). On tensors of a CPU NVIDIA's operators take their plain PyTorch path, and nothing is compiled. A network
of ours is drawn at random and its state loaded, all keys of it, into the public one: both are the same function. One thread,
batch 1, float32, inference mode. Each of the two runs in processes of its own, in turns, by default and with the allocator told
to keep freed memory (glibc). Printed are CPU seconds an image, median and fastest of all images but each process's first one,
how many MiB the first image needs at most besides the network (Linux), and the largest difference of the two images over the
largest value.
"""

import argparse
import gc
import importlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from biggan import LAYERS_256
from generation import KEPT, MODELS, cpu_seconds
from safetensors.torch import load_file, save_file
from torch import Tensor

from ganzoo.building import build_random
from ganzoo.models import ImageGenerator
from ganzoo.nn import SpectralNorm
from ganzoo_biggan.tabulated import BigGANDeepTabulatedGenerator
from ganzoo_biggan.tabulated_layouts import TabulatedGeneratorReader

Make = Callable[[], Tensor]
BIGGAN = "biggan-deep-hf-256"
NAMES = ("stylegan2-256", "stylegan2-1024", "stylegan3-t-256", BIGGAN)
WAYS = ("reference", "ours")


# --- the networks -----------------------------------------------------------------------------------------------------


def ours(name: str) -> ImageGenerator:
    """A network of random weights, none of which are zero or one throughout."""
    if name == BIGGAN:
        config = {"layers": LAYERS_256, "initialisation": "xavier"}  # orthogonal matrices take long to draw
        network: ImageGenerator = build_random(BigGANDeepTabulatedGenerator, config, seed=0)
        with torch.no_grad():
            for layer in network.modules():
                if isinstance(layer, SpectralNorm):
                    layer.normalised_weight()  # vectors that are no singular ones would make images that are no numbers
        return network.eval()
    target, config = MODELS[name]
    module, _, attribute = target.partition(":")
    network = build_random(getattr(importlib.import_module(module), attribute), config, seed=0).eval()
    rng = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for key, parameter in network.named_parameters():
            if key.endswith(("noise_strength", "bias")) and "affine" not in key:
                parameter.normal_(0, 0.1, generator=rng)
    return network


def stylegan2(folder: Path, network: ImageGenerator) -> torch.nn.Module:
    sys.path.insert(0, str(folder))
    new = (folder / "training/networks_stylegan2.py").exists()
    program = importlib.import_module("training.networks_stylegan2" if new else "training.networks")
    widths = {"channel_base": network.config.get("channel_base", 32768), "num_fp16_res": 0}
    where = widths if new else {"synthesis_kwargs": widths}
    return program.Generator(512, 0, 512, network.output_shape[1], 3, **where)  # type: ignore[no-any-return]


def stylegan3(folder: Path, network: ImageGenerator) -> torch.nn.Module:
    sys.path.insert(0, str(folder))
    program = importlib.import_module("training.networks_stylegan3")
    base = network.config["channel_base"]
    return program.Generator(512, 0, 512, network.output_shape[1], 3, channel_base=base)  # type: ignore[no-any-return]


def biggan(folder: Path) -> torch.nn.Module:
    sys.path.insert(0, str(folder))
    program = importlib.import_module("pytorch_pretrained_biggan")
    sizes = {"output_dim": 256, "z_dim": 128, "class_embed_dim": 128, "channel_width": 128, "num_classes": 1000, "n_stats": 51}
    config = program.BigGANConfig(**sizes, layers=LAYERS_256, attention_layer_position=8, eps=1e-4)
    return program.BigGAN(config)  # type: ignore[no-any-return]


def making(name: str, way: str, folder: Path) -> Make:
    """What makes an image, of the network of one of the `WAYS`."""
    network = ours(name)
    z = torch.randn(1, *network.latent_shape, generator=torch.Generator().manual_seed(0))
    if way == "ours":
        return partial(network, z, *([torch.tensor([3])] if name == BIGGAN else []))
    if name == BIGGAN:
        public = biggan(folder)
        public.load_state_dict(TabulatedGeneratorReader().export(network.state_dict(), network.config))
        return partial(public.eval(), z, torch.eye(1000)[[3]], 1.0)
    public = (stylegan3 if name.startswith("stylegan3") else stylegan2)(folder, network)
    public.load_state_dict(network.state_dict())
    noise: dict[str, Any] = {"noise_mode": "const"} if name.startswith("stylegan2") else {}
    return partial(public.eval(), z, None, **noise)


# --- one process, one network -----------------------------------------------------------------------------------------


def sizes() -> dict[str, float]:
    """Resident sizes of this process in MiB, under the names that Linux has for them."""
    lines = [line.split() for line in Path("/proc/self/status").read_text().splitlines()]
    return {line[0]: int(line[1]) / 2**10 for line in lines if line[0] in ("VmRSS:", "VmHWM:")}


def measure(name: str, way: str, folder: Path, repeats: int, image: Path) -> dict[str, Any]:
    torch.set_num_threads(1)
    make = making(name, way, folder)
    gc.collect()
    before = sizes()["VmRSS:"]
    Path("/proc/self/clear_refs").write_text("5")  # forgets the peak so far
    with torch.inference_mode():
        save_file({"image": make().contiguous()}, image)
        return {"memory": sizes()["VmHWM:"] - before, "seconds": [cpu_seconds(make) for _ in range(repeats)]}


# --- all of them ------------------------------------------------------------------------------------------------------


def in_process(name: str, way: str, kept: bool, folder: Path, repeats: int, image: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, "--measure", name, way, str(folder), str(image), "--repeats", str(repeats)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **(KEPT if kept else {})}
    made = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, Any] = json.loads(made.stdout.splitlines()[-1])  # the programs may print something, too
    return result


def compare(name: str, folder: Path, rounds: int, repeats: int) -> None:
    """Prints two lines of the table."""
    images: dict[str, Tensor] = {}
    runs: dict[tuple[bool, str], list[dict[str, Any]]] = {(kept, way): [] for kept in (False, True) for way in WAYS}
    with tempfile.TemporaryDirectory() as temporary:
        for _ in range(rounds):
            for (kept, way), made in runs.items():
                image = Path(temporary, way)
                made.append(in_process(name, way, kept, folder, repeats, image))
                images[way] = load_file(image)["image"]
    difference = float((images["reference"] - images["ours"]).abs().max() / images["reference"].abs().max())
    for kept in (False, True):
        times = [[second for run in runs[kept, way] for second in run["seconds"]] for way in WAYS]
        memory = [max(run["memory"] for run in runs[kept, way]) for way in WAYS]
        middle, fastest = [statistics.median(each) for each in times], [min(each) for each in times]
        faster = f"{middle[0] / middle[1]:.2f} | {fastest[0] / fastest[1]:.2f}"
        print(
            f"| {name}{', freed memory kept' if kept else ''} | {middle[0]:.3f} | {middle[1]:.3f} | {faster} | "
            f"{memory[0]:.0f} | {memory[1]:.0f} | {difference:.0e} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stylegan", type=Path, metavar="FOLDER", help="of NVIDIA's stylegan3, or stylegan2-ada-pytorch")
    parser.add_argument("--biggan", type=Path, metavar="FOLDER", help="of Hugging Face's pytorch-pretrained-BigGAN")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, metavar="NAME")
    parser.add_argument("--rounds", type=int, default=3, help="processes of each kind")
    parser.add_argument("--repeats", type=int, default=3, help="images of each process that count")
    parser.add_argument("--measure", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        name, way, folder, image = arguments.measure
        print(json.dumps(measure(name, way, Path(folder), arguments.repeats, Path(image))))
        return
    chosen = {name: arguments.biggan if name == BIGGAN else arguments.stylegan for name in arguments.only}
    if not any(chosen.values()):
        parser.error("Say where a public program is: --stylegan FOLDER, --biggan FOLDER.")
    print("| generator | public, s | ganzoo, s | times faster | fastest images | public, MiB | ganzoo, MiB | difference |")
    print("|---|---|---|---|---|---|---|---|")
    for name, folder in chosen.items():
        if folder is not None:
            compare(name, folder.resolve(), arguments.rounds, arguments.repeats)


if __name__ == "__main__":
    main()

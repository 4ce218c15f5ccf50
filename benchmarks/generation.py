"""How fast the generators of every family are, and how much memory they take; and `Generator.sample` against a bare loop.

    python benchmarks/generation.py                                     # the smaller ones, about two minutes
    python benchmarks/generation.py --families all                      # every one, up to 1024 pixels
    python benchmarks/generation.py --families stylegan2-256 dcgan-64   # these
    python benchmarks/generation.py --loop                              # the comparison with a loop, DCGAN 64x64

One thread, float32, inference mode. Weights are random, since nothing depends on their values; those of noise are not zero.
Every line of the table comes from processes of its own: one that makes single images, one that makes batches of 8. Seconds are
CPU seconds of the fastest of several calls, so that other work on the machine disturbs little. Peak memory is the largest
resident size of such a process, PyTorch and weights included; the first line says what a process without a network takes. FLOPs
are those that the network really computes, counted by ``torch.utils.flop_counter`` (a multiplication and an addition are two);
the rate of large matrix products is measured in the same process right before. ``--kept`` lets the allocator keep freed memory
(glibc), which saves page faults.
"""

import argparse
import importlib
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from ganzoo.building import build_random
from ganzoo.models import ImageGenerator

KEPT = {"MALLOC_MMAP_THRESHOLD_": str(2**32), "MALLOC_TRIM_THRESHOLD_": str(2**34)}  # bytes: never give memory back
MATRIX = 2048  # rows and columns of the matrices whose product is the measure
IMAGENET = 1000
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "dcgan-64": ("ganzoo_dcgan.networks:DCGANGenerator", {"image_size": 64}),
    "sngan-128": ("ganzoo_sngan.networks:SNGANGenerator", {"image_size": 128}),
    "r3gan-64": ("ganzoo_r3gan.networks:R3GANGenerator", {"image_size": 64}),
    "biggan-128": ("ganzoo_biggan.networks:BigGANGenerator", {"image_size": 128, "num_classes": IMAGENET}),
    "biggan-deep-128": ("ganzoo_biggan.deep:BigGANDeepGenerator", {"image_size": 128, "num_classes": IMAGENET}),
    "biggan-deep-256": ("ganzoo_biggan.deep:BigGANDeepGenerator", {"image_size": 256, "num_classes": IMAGENET}),
    "stylegan-256": ("ganzoo_stylegan.stylegan1.networks:StyleGAN1Generator", {"image_size": 256}),
    "stylegan-1024": ("ganzoo_stylegan.stylegan1.networks:StyleGAN1Generator", {"image_size": 1024}),
    "stylegan2-256": ("ganzoo_stylegan.stylegan2.networks:StyleGAN2Generator", {"image_size": 256, "channel_base": 16384}),
    "stylegan2-1024": ("ganzoo_stylegan.stylegan2.networks:StyleGAN2Generator", {"image_size": 1024}),
    "stylegan3-t-256": ("ganzoo_stylegan.stylegan3.networks:StyleGAN3Generator", {"image_size": 256, "channel_base": 16384}),
}
SMALL = ("dcgan-64", "sngan-128", "r3gan-64", "biggan-128", "stylegan-256", "stylegan2-256")


# --- one process, one model, one batch size ---------------------------------------------------------------------------


def generator(name: str) -> ImageGenerator:
    target, config = MODELS[name]
    module, _, attribute = target.partition(":")
    network: ImageGenerator = build_random(getattr(importlib.import_module(module), attribute), config, seed=0).eval()
    network.requires_grad_(False)
    with torch.no_grad():  # noise of weight zero would make the first feature maps of StyleGAN constant
        for key, parameter in network.named_parameters():
            if "noise" in key:
                parameter.fill_(0.1)
    return network


def fastest(work: Callable[[], object], repeats: int) -> float:
    work()  # prepares what is kept
    return min(cpu_seconds(work) for _ in range(repeats))


def cpu_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def matrix_rate(repeats: int) -> float:
    """FLOP a second of a large matrix product, by the faster of PyTorch's two libraries on a CPU.

    The one behind ``@`` leaves out the widest instructions of some processors, and that for convolutions does not.
    """
    with torch.inference_mode():
        a, b = torch.randn(2, MATRIX, MATRIX)
        images, weight = a.view(16, 8, -1, MATRIX).permute(0, 3, 1, 2), b[:, :, None, None]
        ways: list[Callable[[], Tensor]] = [lambda: a @ b, lambda: F.conv2d(images, weight)]
        return 2 * MATRIX**3 / min(fastest(way, repeats + 2) for way in ways)


def peak_size() -> float:
    """The largest resident size of this process so far in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10  # kibibytes on Linux


def measure(name: str, batch_size: int, repeats: int) -> dict[str, float]:
    """Everything about one model, in this process."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    rate = matrix_rate(repeats)
    bare_size = peak_size()
    network = generator(name)
    latents = [torch.randn(batch_size, *network.latent_shape)]
    classes = [torch.arange(batch_size)] if network.num_classes else []
    with torch.inference_mode():
        seconds = fastest(lambda: network(*latents, *classes), repeats)
    peak = peak_size()  # before counting adds to it
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(*latents, *classes)
    return {"seconds": seconds, "peak": peak, "bare": bare_size, "flops": float(counter.get_total_flops()), "rate": rate}


def in_process(name: str, batch_size: int, arguments: argparse.Namespace) -> dict[str, float]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **(KEPT if arguments.kept else {})}
    options = ["--measure", name, "--batch-size", str(batch_size), "--repeats", str(arguments.repeats)]
    made = subprocess.run([sys.executable, __file__, *options], env=environment, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, float] = json.loads(made.stdout)
    return result


def table(names: list[str], arguments: argparse.Namespace) -> None:
    print("| generator | GFLOP an image | s an image | of the GEMM rate | peak MiB | images/s, batch 8 | peak MiB, batch 8 |")
    print("|---|---|---|---|---|---|---|")
    for name in names:
        one, eight = in_process(name, 1, arguments), in_process(name, 8, arguments)
        if name == names[0]:
            print(f"| none | | | | {one['bare']:.0f} | | {eight['bare']:.0f} |")
        share = one["flops"] / one["seconds"] / one["rate"]
        print(
            f"| {name} | {one['flops'] / 1e9:.2f} | {one['seconds']:.4f} | {share:.0%} of {one['rate'] / 1e9:.0f} GFLOP/s "
            f"| {one['peak']:.0f} | {8 / eight['seconds']:.2f} | {eight['peak']:.0f} |",
            flush=True,
        )


# --- sampling against a bare loop -------------------------------------------------------------------------------------


def bare(network: ImageGenerator, images: int, batch_size: int) -> Tensor:
    outputs = []
    with torch.inference_mode():
        for _ in range(0, images, batch_size):
            outputs.append(network(torch.randn(batch_size, *network.latent_shape)))
    return torch.cat(outputs)


def loop(images: int, repeats: int) -> None:
    """Both make the same number of images in batches of the same size; rounds alternate, the fastest of each counts."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = generator("dcgan-64")
    for batch_size in (1, 16, 64):
        rounds = [
            (
                cpu_seconds(lambda b=batch_size: bare(network, images, b)),
                cpu_seconds(lambda b=batch_size: network.sample(images, seed=0, batch_size=b)),
            )
            for _ in range(repeats)
        ]
        plain, sample = (min(times) for times in zip(*rounds, strict=True))
        print(
            f"DCGAN 64x64, batch {batch_size:3}: bare loop {images / plain:7.1f} images/s, "
            f"sample {images / sample:7.1f} images/s, time ratio {sample / plain:.3f}  (at most 1.05)"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--families", nargs="+", choices=["all", *MODELS], default=list(SMALL), metavar="NAME")
    parser.add_argument("--repeats", type=int, default=3, help="calls of each process after the first one")
    parser.add_argument("--kept", action="store_true", help="keep freed memory")
    parser.add_argument("--loop", action="store_true", help="compare `sample` with a bare loop instead")
    parser.add_argument("--images", type=int, default=256, help="of --loop")
    parser.add_argument("--measure", choices=MODELS, help=argparse.SUPPRESS)
    parser.add_argument("--batch-size", type=int, default=1, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure, arguments.batch_size, arguments.repeats)))
    elif arguments.loop:
        loop(arguments.images, max(arguments.repeats, 9))
    else:
        table(list(MODELS) if "all" in arguments.families else arguments.families, arguments)


if __name__ == "__main__":
    main()

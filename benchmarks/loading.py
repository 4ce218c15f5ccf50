"""Time and memory of loading a large generator, against the usual way, in the same run.

    python benchmarks/loading.py [--megabytes 120] [--rounds 5]

The usual way: build the network, ``torch.load``, ``load_state_dict``. Ours: ``ganzoo.load`` of the same weights in
ganzoo's layout.
Every variant runs in a process of its own; both have imported what they need, and have loaded and run a small network, before
the clock starts. Resident memory is compared after loading, after every weight was read once, and after a forward pass; the
peak is that of loading and reading. Prints the ratios and exits with 1 when a figure is missed.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

TIME_LIMIT, MEMORY_LIMIT = 0.4, 1.15
ARGUMENTS: dict[str, Any] = {"image_size": 64, "channels": 3, "latent_size": 100}


def resident() -> int:
    """Resident bytes of this process."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * 4096


def usual(folder: Path, arguments: dict[str, Any]) -> Any:
    """Random initialisation, then a second copy read into memory, then a copy of that."""
    import torch

    from ganzoo_dcgan.networks import DCGANGenerator

    network = DCGANGenerator(**arguments)
    network.load_state_dict(torch.load(folder / "generator.pt", weights_only=True))
    return network.eval()


def ours(folder: Path, arguments: dict[str, Any]) -> Any:
    """What a user calls."""
    import ganzoo

    return ganzoo.load(folder)


def measure(variant: str, folder: Path, arguments: dict[str, Any], small: Path) -> dict[str, float]:
    """One loading in this process."""
    import torch

    torch.set_num_threads(1)
    load = {"usual": usual, "ours": ours}[variant]
    z = torch.zeros(1, arguments["latent_size"])
    with torch.inference_mode():
        load(small, {**ARGUMENTS, "width": 8})(z)
    before = resident()
    start = time.perf_counter()
    network = load(folder, arguments)
    seconds, loaded = time.perf_counter() - start, resident()
    total = sum(float(tensor.sum()) for tensor in network.state_dict().values())
    touched, peak = resident(), _peak()
    with torch.inference_mode():
        network(z)
    return {
        "seconds": seconds,
        "loaded": loaded - before,
        "touched": touched - before,
        "forward": resident() - before,
        "peak": peak - before,
        "sum": total,
    }


def _peak() -> int:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def make(folder: Path, width: int) -> int:
    """Writes a generator of that width in both forms; gives the size of the safetensors file."""
    import torch

    from ganzoo.building import build_random
    from ganzoo.checkpoint import write_model
    from ganzoo.checkpoint.folder import model_config
    from ganzoo_dcgan.networks import DCGANGenerator

    network = build_random(DCGANGenerator, {**ARGUMENTS, "width": width}, seed=0)
    config = model_config("dcgan", "dcgan", {"generator": network.config})
    stored = write_model(folder, config, {"generator": network.state_dict()})
    torch.save(network.state_dict(), folder / "generator.pt")
    return stored.files["generator"].stat().st_size


def width_for(megabytes: float) -> int:
    """The width whose generator is at least that large: nearly all weights are in three convolutions."""
    width = 8
    while 4 * (16 * 42 * width**2 + 16 * 800 * width) < megabytes * 1e6:
        width += 1
    return width


def main() -> int:
    """Runs every variant and compares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=120.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        variant, folder, arguments, small = options.child
        print(json.dumps(measure(variant, Path(folder), json.loads(arguments), Path(small))))
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        return compare(Path(scratch), options.megabytes, options.rounds)


def compare(scratch: Path, megabytes: float, rounds: int) -> int:
    """Alternates the variants, so that a busy moment of the machine hits both."""
    width = width_for(megabytes)
    size = make(scratch / "large", width)
    make(scratch / "small", 8)
    arguments = json.dumps({**ARGUMENTS, "width": width})
    results: dict[str, list[dict[str, float]]] = {"usual": [], "ours": []}
    for _ in range(rounds):
        for variant, found in results.items():
            command = [sys.executable, __file__, "--child", variant, str(scratch / "large"), arguments, str(scratch / "small")]
            found.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    if len({round(each["sum"], 3) for found in results.values() for each in found}) != 1:
        raise SystemExit("the variants loaded different weights")
    print(f"DCGAN generator of width {width}, {size / 1e6:.0f} MB, median of {rounds}, one thread\n")
    print(f"{'':28}{'usual way':>12}{'ganzoo.load':>14}")
    middle = {v: {key: statistics.median(each[key] for each in found) for key in found[0]} for v, found in results.items()}
    print(f"{'seconds':28}{middle['usual']['seconds']:12.3f}{middle['ours']['seconds']:14.3f}")
    for key in ("loaded", "touched", "forward", "peak"):
        print(f"{f'memory, {key} (x file)':28}{middle['usual'][key] / size:12.2f}{middle['ours'][key] / size:14.2f}")
    ratio, memory = middle["ours"]["seconds"] / middle["usual"]["seconds"], middle["ours"]["touched"] / size
    print(f"\ntime ratio            {ratio:.3f}   (at most {TIME_LIMIT})")
    print(f"memory, all touched   {memory:.3f}   (at most {MEMORY_LIMIT})")
    return 0 if ratio <= TIME_LIMIT and memory <= MEMORY_LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())

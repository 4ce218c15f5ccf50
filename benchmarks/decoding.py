"""Decoding picture files: what threads gain, and what the cache gains at the second start.

    python benchmarks/decoding.py

Makes photographs (smooth noise, JPEG, 1,024 x 768) in a temporary folder and prints, as ratios of the median of ``--repeats``
alternating rounds:

- decoding them to 64 x 64 with as many threads as processors, against one thread;
- the second start (hash known, pixels in the cache) against the first;
- batches of 64 from the cache, against decoding the same pictures when they are shown.
"""

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from PIL import Image

SHAPE = (3, 64, 64)
BATCH = 64


def photographs(folder: Path, count: int) -> None:
    random = np.random.default_rng(0)
    folder.mkdir()
    for i in range(count):
        small = Image.fromarray(random.integers(0, 256, (24, 32, 3), dtype=np.uint8))
        grain = random.integers(-12, 13, (768, 1024, 3))
        pixels = np.clip(np.asarray(small.resize((1024, 768), Image.Resampling.BICUBIC)).astype(int) + grain, 0, 255)
        target = BytesIO()
        Image.fromarray(pixels.astype(np.uint8)).save(target, "jpeg", quality=90)
        (folder / f"{i:05}.jpg").write_bytes(target.getvalue())


def seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description="Time the decoding of picture files.")
    parser.add_argument("--pictures", type=int, default=400)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        os.environ["GANZOO_HOME"] = str(Path(temporary, "home"))
        folder = Path(temporary, "photographs")
        photographs(folder, arguments.pictures)
        measure(folder, arguments.repeats)


def measure(folder: Path, repeats: int) -> None:
    from ganzoo.data import ImageFolder
    from ganzoo.data.decode import decode
    from ganzoo.data.decoding import decode_all, workers
    from ganzoo.data.files import FolderFiles

    files = FolderFiles(folder)
    shown = files.names[:BATCH]
    times: dict[str, list[float]] = {}

    def time_of(what: str, action: Callable[[], object]) -> None:
        times.setdefault(what, []).append(seconds(action))

    for _ in range(repeats):
        shutil.rmtree(os.environ["GANZOO_HOME"], ignore_errors=True)
        time_of("one thread", lambda: list(decode_all(files, files.names, SHAPE, 1)))
        time_of("threads", lambda: list(decode_all(files, files.names, SHAPE)))
        time_of("first start", lambda: ImageFolder(folder).prepare(SHAPE))
        time_of("second start", lambda: ImageFolder(folder).prepare(SHAPE))
        examples = ImageFolder(folder).prepare(SHAPE)
        time_of("batch from the cache", lambda examples=examples: examples[torch.arange(BATCH)])
        time_of("batch decoded when shown", lambda: [decode(files.read(name), SHAPE) for name in shown])
    median = {what: statistics.median(values) for what, values in times.items()}
    print(f"{len(files.names)} pictures, {workers()} threads")
    for what, value in median.items():
        print(f"{what:<26}{value * 1000:10.1f} ms")
    print(f"threads / one thread                      {median['threads'] / median['one thread']:.3f}")
    print(f"second start / first start                {median['second start'] / median['first start']:.4f}")
    print(
        f"batch from the cache / decoded when shown {median['batch from the cache'] / median['batch decoded when shown']:.5f}"
    )


if __name__ == "__main__":
    main()

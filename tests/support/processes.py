"""Several processes that train together, started as a user starts them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def run_together(module: str, out: Path, count: int = 2) -> list[Any]:
    """What each of ``count`` processes of ``python -m module``, which ends with `report`, has to say."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(count)]
    meeting = ["--master-port", "0", "--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0"]
    done = subprocess.run(
        [*launcher, *meeting, "-m", module, out],
        env=os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads((out / f"{rank}.json").read_text()) for rank in range(count)]


def report(play: Callable[[], Any]) -> None:
    """Writes what ``play`` gives for `run_together`, and ends the process."""
    import torch

    torch.set_num_threads(1)
    (Path(sys.argv[1]) / f"{os.environ['RANK']}.json").write_text(json.dumps(play()))
    # Without Python's and torch's shutdown: threads of the connection now and then abort a process that is done.
    os._exit(0)

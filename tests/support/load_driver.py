"""Runs in a process of its own: loads models with the real client and tells what came of it.

Reads one JSON object a line and answers with one. The client reads its environment when it is imported, so a test that changes
it needs another process.
"""

import contextlib
import hashlib
import io
import json
import logging
import os
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn

import ganzoo
from ganzoo import cli
from ganzoo.hub import client, transfer
from ganzoo.loading import download as fetch_all

OPENED: list[str] = []
LOGGED: list[str] = []


class _Log(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        LOGGED.append(record.getMessage())


def _watch(event: str, args: tuple[Any, ...]) -> None:
    if event == "open" and isinstance(args[0], str | bytes | Path):
        OPENED.append(os.fsdecode(args[0]))


def load(step: dict[str, Any]) -> dict[str, Any]:
    network = ganzoo.load(step["source"], **step.get("options", {}))
    first = next(network.parameters())
    return {
        "class": type(network).__name__,
        "config": network.config,
        "weights": weights(network),
        "training": network.training,
        "dtype": str(first.dtype),
        "sample": network.sample(2, seed=0, **step.get("sampling", {})).tensor.flatten()[:8].tolist()
        if hasattr(network, "sample")
        else None,
        "class_names": list(getattr(network, "class_names", ())),
        "mapped": [line.split(maxsplit=5)[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "/" in line],
    }


def weights(network: nn.Module) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(name.encode() + tensor.detach().float().contiguous().numpy().tobytes())
    return digest.hexdigest()


def train_on(step: dict[str, Any]) -> dict[str, Any]:
    """Two steps of training after loading."""
    network = ganzoo.load(step["source"]).train()
    optimiser = torch.optim.SGD(network.parameters(), lr=1.0)
    before = weights(network)
    for _ in range(2):
        optimiser.zero_grad()
        network(torch.randn(4, *network.latent_shape)).square().mean().backward()
        optimiser.step()
    return {"changed": weights(network) != before}


def download(step: dict[str, Any]) -> dict[str, Any]:
    found = fetch_all(step["source"], **step.get("options", {}))
    return {"files": {name: {"path": str(f.path), "sha256": f.sha256, "cached": f.cached} for name, f in found.items()}}


def command(step: dict[str, Any]) -> dict[str, Any]:
    """The command line in this process."""
    out, err = io.StringIO(), io.StringIO()
    sys.argv = ["ganzoo", *step["arguments"]]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            cli.main()
        except SystemExit as e:
            return {"code": e.code, "out": out.getvalue(), "err": err.getvalue()}


def loaded_modules(step: dict[str, Any]) -> dict[str, Any]:
    return {"modules": sorted(name for name in sys.modules if name.startswith(step["prefix"]))}


CALLS = {call.__name__: call for call in (load, train_on, download, command, loaded_modules)}


def answer(step: dict[str, Any]) -> dict[str, Any]:
    OPENED.clear()
    LOGGED.clear()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            out = CALLS[step["do"]](step)
        except Exception as e:  # noqa: BLE001 - every outcome is an answer
            out = {"error": type(e).__name__, "message": str(e), "traceback": traceback.format_exc()}
    told = [f"{w.category.__name__}: {w.message}" for w in caught]
    return {**out, "opened": list(OPENED), "log": list(LOGGED), "warnings": told}


def main() -> None:
    torch.set_num_threads(1)
    sys.addaudithook(_watch)
    logging.getLogger("ganzoo").addHandler(_Log())
    client.PAUSE_SECONDS = 0.2  # how often something is tried does not depend on the pauses
    transfer.FIRST_PAUSE = 0.05
    talk = sys.stdout
    for line in sys.stdin:
        talk.write(json.dumps(answer(json.loads(line))) + "\n")
        talk.flush()


if __name__ == "__main__":
    main()

"""A process that uses ganzoo.hub as it is told, one JSON line in, one JSON line out.

The Hub client reads its environment when it is imported, so every test that depends on it needs a process of its own.
"""

import json
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any

import msgspec

from ganzoo import hub, spec
from ganzoo.hub import client, transfer


def _file(step: dict[str, Any]) -> spec.WeightFile:
    return msgspec.convert({"role": "generator", **step["file"]}, spec.WeightFile)


def _source(value: Any) -> spec.Source:
    return msgspec.convert(value, spec.Source)


def fetch(step: dict[str, Any]) -> hub.Fetched:
    mirrors = tuple(_source(mirror) for mirror in step.get("mirrors", ()))
    options = {key: step[key] for key in ("revision", "force", "progress") if key in step}
    return hub.fetch(_source(step["source"]), _file(step), mirrors=mirrors, **options)


def fetch_file(step: dict[str, Any]) -> hub.Fetched:
    options = {key: step[key] for key in ("revision", "force", "progress") if key in step}
    return hub.fetch_file(step["repository"], step["filename"], **options)


def resolve(step: dict[str, Any]) -> str:
    return hub.resolve_revision(step["repository"], step.get("revision"))


def cached_path(step: dict[str, Any]) -> Path | None:
    return hub.cached_path(_source(step["source"]), _file(step))


def full_disk(step: dict[str, Any]) -> None:
    """From now on, this process can write no file beyond ``bytes``; the system says EFBIG, as with a full quota."""
    import resource
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (step["bytes"], resource.RLIM_INFINITY))


def read_only(step: dict[str, Any]) -> None:
    """From now on, this process can change nothing below ``path``: it is root in many places, whom permissions do not stop."""
    import errno
    import os

    changes = {"os.mkdir", "os.rename", "os.remove", "os.symlink", "os.link", "os.chmod", "os.truncate"}

    def hook(event: str, args: tuple[Any, ...]) -> None:
        writes = event in changes or (event == "open" and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
        if writes and isinstance(args[0], str | Path) and str(args[0]).startswith(step["path"]):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(args[0]))

    sys.addaudithook(hook)


def plain_download(step: dict[str, Any]) -> str:
    """Another program that shares the Hub's cache and verifies nothing."""
    from huggingface_hub import hf_hub_download

    return hf_hub_download(step["repository"], step["filename"], revision=step["revision"])


CALLS = {call.__name__: call for call in (fetch, fetch_file, resolve, cached_path, full_disk, read_only, plain_download)}


def answer(step: dict[str, Any]) -> dict[str, Any]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            value = CALLS[step["do"]](step)
            if isinstance(value, hub.Fetched):
                out = {"path": str(value.path), "sha256": value.sha256, "revision": value.revision, "cached": value.cached}
            else:
                out = {"value": None if value is None else str(value)}
        except Exception as e:  # noqa: BLE001 - every outcome is an answer
            out = {"error": type(e).__name__, "message": str(e), "traceback": traceback.format_exc()}
    out["warnings"] = [f"{w.category.__name__}: {w.message}" for w in caught]
    return out


def main() -> None:
    client.PAUSE_SECONDS = 0.2  # how often something is tried does not depend on the pauses
    transfer.FIRST_PAUSE = 0.05
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()

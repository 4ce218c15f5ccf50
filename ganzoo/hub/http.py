"""The HTTP library that the installed Hub client brings: httpx before version 2, httpx2 since, under one name in both."""

import importlib
from typing import Any


def library() -> Any:
    """The module with the exception classes and `Timeout`."""
    return importlib.import_module("huggingface_hub.utils").httpx


def session() -> Any:
    """The process-wide client, with the settings (proxy, certificates) that the user may have given it."""
    return importlib.import_module("huggingface_hub.utils").get_session()


def bar_class() -> Any:
    """The client's own progress bar."""
    return importlib.import_module("huggingface_hub.utils").tqdm

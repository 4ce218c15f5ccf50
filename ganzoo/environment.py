"""What ganzoo reads from the environment on every start; imports nothing but `os`."""

import os

PLUGINS = "GANZOO_PLUGINS"


def cache_folder() -> str:
    """The cache folder: ``GANZOO_HOME``, else ``$XDG_CACHE_HOME/ganzoo``, else ``~/.cache/ganzoo``. It need not exist."""
    home = os.environ.get("GANZOO_HOME")
    if home:
        return os.path.expanduser(home)  # noqa: PTH111  # pathlib is not imported on the path of `ganzoo list`
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    return os.path.join(base, "ganzoo")  # noqa: PTH118


def admits(plugin: str, distribution: str) -> bool:
    """Whether ``GANZOO_PLUGINS``, a comma list of plugin or distribution names, admits this plugin. Empty: none; unset: all."""
    setting = os.environ.get(PLUGINS)
    if setting is None:
        return True
    names = {normalise(part) for part in setting.split(",") if part.strip()}
    return normalise(plugin) in names or normalise(distribution) in names


def normalise(name: str) -> str:
    """Distribution names compare without case and with ``-``, ``_`` and ``.`` alike (PEP 503)."""
    return name.strip().lower().replace("_", "-").replace(".", "-")

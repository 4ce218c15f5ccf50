"""Which plugins are installed, and where their model cards lie: found from metadata alone, without importing any plugin."""

import warnings
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from importlib.util import find_spec
from pathlib import Path

import msgspec

from ganzoo.environment import normalise
from ganzoo.errors import PluginWarning

GROUP = "ganzoo"


class InstalledPlugin(msgspec.Struct, frozen=True, kw_only=True):
    """An entry point in the group ``ganzoo``.

    Attributes:
        name: The entry point's name: the plugin's name everywhere.
        module: Its value, ``module`` or ``module:object``.
        distribution: The installed package that declares it.
        version: That package's version.
        cards: The folder in which its model cards would lie, or None for a plugin that is no package.
    """

    name: str
    module: str
    distribution: str
    version: str
    cards: str | None = None


def installed_plugins() -> tuple[InstalledPlugin, ...]:
    """All installed plugins, sorted by name and distribution. Reads every installed package's metadata."""
    found = {(p.name, p.distribution): p for dist in _distributions() for p in _plugins_of(dist)}
    return tuple(found[key] for key in sorted(found))


def _distributions() -> Iterator[Distribution]:
    """The first of each name along ``sys.path``, as an import would find it."""
    seen: set[str] = set()
    for dist in distributions():
        try:
            # Half-removed packages leave metadata without a name behind.
            name = normalise(dist.metadata["Name"] or "") if dist.metadata is not None else ""
        except Exception as e:  # noqa: BLE001  # one package's damaged metadata must not hide the others
            _warn(getattr(dist, "_path", "an installed package"), e)
            continue
        if name and name not in seen:
            seen.add(name)
            yield dist


def _plugins_of(dist: Distribution) -> Iterator[InstalledPlugin]:
    try:
        for point in dist.entry_points:
            if point.group == GROUP:
                yield InstalledPlugin(
                    name=point.name,
                    module=point.value,
                    distribution=dist.name,
                    version=dist.version or "of unknown version",
                    cards=_cards_folder(point.value.partition(":")[0].strip()),
                )
    except Exception as e:  # noqa: BLE001  # as above
        _warn(dist.name, e)


def _warn(package: object, error: Exception) -> None:
    warnings.warn(f"The metadata of {package} cannot be read: {error}", PluginWarning, stacklevel=3)


def _cards_folder(module: str) -> str | None:
    """Where the cards of ``module`` would lie: in the innermost package of its dotted name."""
    top, *rest = module.split(".")
    try:
        spec = find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(next(iter(spec.submodule_search_locations)))
    # A dotted name's parents are not imported to find it: its folders are followed by name.
    inner = folder.joinpath(*rest)
    return str((inner if inner.is_dir() else inner.parent) / "cards")

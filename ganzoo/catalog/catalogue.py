"""The catalogue: every model card of this machine, searched and looked up by name."""

import warnings
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from ganzoo.catalog.index import Entry, Problem, read_index
from ganzoo.environment import admits
from ganzoo.errors import InvalidValueError, PluginWarning
from ganzoo.naming import NameTable
from ganzoo.spec import ModelCard

TOLD = 5  # warnings about cards in one command; all of them are in the report of `ganzoo doctor`


class Catalog:
    """Model cards by name.

    Args:
        entries: The cards with the plugins that bring them.
        problems: Cards that were set aside; asking for one of them by name raises its error.
    """

    def __init__(self, entries: Iterable[Entry], problems: Iterable[Problem] = ()) -> None:
        self.entries = sorted(entries, key=lambda e: (e.card.name, e.owner))
        self.problems = tuple(problems)
        self._names: NameTable[Entry] = NameTable("model")
        for entry in self.entries:
            self._names.add(entry.owner, entry.card.name, entry, entry.card.aliases)

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[ModelCard]:
        return (entry.card for entry in self.entries)

    def find(self, name: str) -> ModelCard:
        """The card called ``name``: a name, an alias, or either with its plugin, ``<plugin>/<name>``.

        Raises:
            UnknownNameError: no such model; carries the closest names.
            AmbiguousNameError: two plugins claim the name.
            CardError: the model's card was set aside; says what is wrong with it.
        """
        bare = name.rpartition("/")[2]
        for problem in self.problems:
            if problem.model == bare and not self._names.claims(bare):
                raise problem.error()
        return self._names.find(name).card

    def search(
        self,
        pattern: str = "*",
        *,
        modality: str | None = None,
        task: str | None = None,
        architecture: str | None = None,
        licence: str | None = None,
        tag: str | None = None,
        plugin: str | None = None,
    ) -> list[ModelCard]:
        """The cards whose name or an alias matches the glob ``pattern`` and whose fields match every filter given.

        All filters are globs and ignore case; ``licence`` is that of the weights.
        """
        wanted = {"modality": modality, "task": task, "architecture": architecture, "licence": licence, "tag": tag}
        filters = {field: glob for field, glob in {**wanted, "plugin": plugin}.items() if glob is not None}
        return [
            entry.card
            for entry in self.entries
            if _matches((entry.card.name, *entry.card.aliases), pattern)
            and all(_matches(_values(entry, field), glob) for field, glob in filters.items())
        ]


def _matches(values: Iterable[str], glob: str) -> bool:
    return any(fnmatchcase(value.lower(), glob.lower()) for value in values)


def _values(entry: Entry, field: str) -> tuple[str, ...]:
    card = entry.card
    match field:
        case "tag":
            return card.tags
        case "licence":
            return (card.licence.weights,)
        case "plugin":
            return (entry.owner,)
        case _:
            return (str(getattr(card, field)),)


def catalog() -> Catalog:
    """The catalogue of this machine: ``registry/`` and the cards of all plugins that ``GANZOO_PLUGINS`` admits.

    A card that cannot be used is left out with a `PluginWarning` naming its file, model and field.
    """
    index = read_index()
    problems = [b for b in index.problems if b.plugin is None or admits(b.plugin, b.distribution or "")]
    for brought in problems[:TOLD]:
        whose = "ganzoo" if brought.distribution is None else brought.distribution
        warnings.warn(f"A model card of {whose} was set aside: {brought.problem.error()}", PluginWarning, stacklevel=3)
    if len(problems) > TOLD:
        rest = len(problems) - TOLD
        warnings.warn(f"{rest} more model cards were set aside; `ganzoo doctor` lists them.", PluginWarning, stacklevel=3)
    admitted = [e for e in index.entries if e.distribution is None or admits(e.owner, e.distribution)]
    return Catalog(admitted, [b.problem for b in problems])


def list_models(
    pattern: str = "*",
    *,
    modality: str | None = None,
    task: str | None = None,
    architecture: str | None = None,
    licence: str | None = None,
    tag: str | None = None,
    plugin: str | None = None,
) -> list[ModelCard]:
    """The model cards that match; see `Catalog.search`. Nothing heavy is imported and nothing is downloaded."""
    return catalog().search(
        pattern, modality=modality, task=task, architecture=architecture, licence=licence, tag=tag, plugin=plugin
    )


def model_card(name: str) -> ModelCard:
    """The card of a model of the catalogue.

    Raises:
        InvalidValueError: ``name`` is a path or a Hub repository.
        UnknownNameError, AmbiguousNameError, CardError: see `Catalog.find`.
    """
    from ganzoo.catalog.names import CatalogueName, parse_name

    parsed = parse_name(name)
    if not isinstance(parsed, CatalogueName):
        raise InvalidValueError(f"{name!r} is no name of the catalogue.", hint="`ganzoo list` shows the names.")
    return catalog().find(parsed.qualified)

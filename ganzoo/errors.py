"""Every error that ganzoo raises on purpose.

All of them derive from `GanzooError` and read as one paragraph for a person: what was wrong, which file or name, what to do
next. The command line prints exactly ``str(error)`` and exits with 1; nothing else is needed to handle them.
"""

from collections.abc import Sequence


class GanzooError(Exception):
    """Base of all errors of ganzoo.

    Args:
        message: What was wrong, naming the file, model or value.
        hint: What to do next; printed after the message.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message if hint is None else f"{message}\n{hint}")
        self.message = message
        self.hint = hint


class InvalidValueError(GanzooError, ValueError):
    """An argument that cannot be used: a batch of zero, a seed out of range, an unknown device or dtype."""


class UnknownNameError(GanzooError, LookupError):
    """A name that nobody brings; carries the closest names that exist.

    Args:
        kind: What was looked for, e.g. ``"model"``.
        name: The name as given.
        close: The closest existing names, best first.
        hint: What to do next; made from ``close`` when not given.
    """

    def __init__(self, kind: str, name: str, close: Sequence[str] = (), *, hint: str | None = None) -> None:
        if hint is None and close:
            hint = "Did you mean " + " or ".join(f"'{c}'" for c in close) + "?"
        super().__init__(f"There is no {kind} named '{name}'.", hint=hint)
        self.kind, self.name, self.close = kind, name, tuple(close)


class AmbiguousNameError(GanzooError, LookupError):
    """A name that several plugins claim; the qualified names always work."""

    def __init__(self, kind: str, name: str, qualified: Sequence[str]) -> None:
        listed = " and ".join(f"'{q}'" for q in qualified)
        super().__init__(
            f"The {kind} name '{name}' is claimed more than once: {listed}.", hint="Use one of the qualified names."
        )
        self.kind, self.name, self.qualified = kind, name, tuple(qualified)


class CardError(GanzooError):
    """A model card that cannot be used.

    Args:
        file: The card file.
        model: The model's name, or None where the whole file is unreadable.
        problem: What is wrong, with the field's path (``$.files[0].sha256``) where there is one.
    """

    def __init__(self, file: str, model: str | None, problem: str) -> None:
        where = f"{file}: " if model is None else f"{file}: model '{model}': "
        super().__init__(where + problem)
        self.file, self.model, self.problem = file, model, problem


class PluginError(GanzooError):
    """A plugin that is broken, switched off, or returned something that is not what its hook promises."""


class PluginMissingError(PluginError):
    """A model needs a plugin that is not installed; the hint is the exact pip command."""


class HubError(GanzooError):
    """Something went wrong between this machine and where the weights are."""


class RepositoryNotFoundError(HubError):
    """The repository does not exist, or is private and this token may not see it."""


class GatedRepositoryError(HubError):
    """The repository exists, but its owner must grant access first."""


class RevisionNotFoundError(HubError):
    """The repository has no such branch, tag or commit."""


class RemoteFileNotFoundError(HubError):
    """The repository or server has no such file."""


class AuthenticationError(HubError):
    """The server refused the token (401 or 403 without a better reason)."""


class RateLimitError(HubError):
    """The server asked to slow down (429) until the client gave up."""


class OfflineError(HubError):
    """Offline mode is on and the file is not in the cache."""


class UnreachableError(HubError):
    """No usable answer: no network, a dropped connection, a time-out or a failing server; and nothing in the cache."""


class StorageError(HubError):
    """The disk is full, or the cache cannot be written."""


class IntegrityError(HubError):
    """The bytes are not the ones that were pinned.

    Args:
        what: The file and where it came from.
        expected: The pinned sha256; the Hub's own sum, or the announced number of bytes, where nothing is pinned.
        actual: The same of what arrived, or why it was not hashed.
    """

    def __init__(self, what: str, expected: str, actual: str, *, hint: str | None = None) -> None:
        super().__init__(f"{what} has the wrong content.\n  expected {expected}\n  received {actual}", hint=hint)
        self.expected, self.actual = expected, actual


class CheckpointError(GanzooError):
    """A file on disk that cannot be used as a checkpoint."""


class CorruptFileError(CheckpointError):
    """An empty, truncated or damaged file, or one that is no checkpoint at all."""


class HostileFileError(CheckpointError):
    """A pickle that wants to build something other than tensors and containers; it was not executed.

    Args:
        file: The file.
        names: The fully qualified names that it asked for, e.g. ``posix.system``.
        hint: What to do next, instead of the usual advice.
    """

    def __init__(self, file: str, names: Sequence[str], *, hint: str | None = None) -> None:
        super().__init__(
            f"{file} asks to build {', '.join(names)}, which is code and not data. Nothing of it was executed.",
            hint=hint or "Ask whoever made the file for a safetensors file, or for one that holds a plain state dict.",
        )
        self.names = tuple(names)


class UnrecognisedCheckpointError(CheckpointError):
    """A readable file whose keys and shapes fit no layout of any installed plugin."""


class ConfigError(GanzooError):
    """A configuration value that is unknown, of the wrong type or out of range."""


class TrainingError(GanzooError):
    """A training run that cannot go on: a loss that is not finite, say. Its last checkpoint is as it was."""


class DataError(GanzooError):
    """Training or reference data that cannot be used."""


class OutputError(GanzooError, OSError):
    """A result that could not be written: no such folder, not writable, disk full, unknown file type."""


class MissingExtraError(GanzooError, ImportError):
    """An optional dependency that is not installed; the hint is the exact pip command."""

    def __init__(self, what: str, module: str, extra: str) -> None:
        super().__init__(
            f"{what} needs the package '{module}', which is not installed.",
            hint=f'Install the extra that brings it: pip install "ganzoo-hub[{extra}]"',
        )
        self.extra = extra


class PluginWarning(UserWarning):
    """A plugin, or one of its cards, was set aside; everything else goes on working."""


class CacheWarning(UserWarning):
    """The cached copy was used because the source could not be reached, or the cache could not be written."""

"""One file of one commit: from the cache or the Hub, verified, repaired once."""

import warnings
from dataclasses import dataclass
from pathlib import Path

from ganzoo.errors import CacheWarning, HubError, IntegrityError, OfflineError
from ganzoo.hub import client, refs
from ganzoo.hub.digest import Expected, compute
from ganzoo.hub.fetched import Fetched
from ganzoo.hub.hubsum import local_sum
from ganzoo.hub.purge import purge
from ganzoo.hub.safety import check_name
from ganzoo.hub.verdicts import recall
from ganzoo.hub.verify import verify

_TWICE = "It was downloaded twice and nothing was kept. Do not use the file; tell whoever maintains the repository or the card."


@dataclass(frozen=True)
class HubFile:
    """A file of a repository at a commit.

    Attributes:
        repository: ``organisation/name``.
        filename: The file's path in it.
        commit: 40 hexadecimal digits.
        expected: The pinned sum, or None for the Hub's own.
    """

    repository: str
    filename: str
    commit: str
    expected: Expected | None = None

    def __post_init__(self) -> None:
        client.check_repository(self.repository)
        check_name(self.filename)

    @property
    def text(self) -> str:
        """The file and the repository, for messages."""
        return f"{self.filename} of {self.repository}@{self.commit[:10]}"

    @property
    def cached(self) -> Path | None:
        """Where it is in the Hub's cache, or None; makes no request."""
        return client.cached_file(self.repository, self.filename, self.commit)

    def fetch(self, *, force: bool, progress: bool | None) -> Fetched:
        """From the cache without a request, else from the Hub; a damaged one is downloaded once more.

        Args:
            force: Download again, whatever is in the cache.
            progress: Show a bar; None decides by the terminal.

        Raises:
            HubError: what went wrong and what to do.
        """
        path = None if force else self.cached
        cached = path is not None
        if path is None:
            path = self._download(force, progress)
        try:
            sha256 = self._verify(path)
        except IntegrityError as damage:
            path, cached = self._repair(path, damage, progress), False
            sha256 = self._verify_repaired(path)
        refs.confirm(self.repository, self.commit)
        return Fetched(path, sha256, self.commit, cached)

    def _download(self, force: bool, progress: bool | None) -> Path:
        return client.download_file(self.repository, self.filename, self.commit, force=force, progress=progress)

    def _verify(self, path: Path) -> str:
        """The sha256 of a file that is what it should be."""
        expected = self.expected or local_sum(path, self.repository, self.filename, self.commit)
        if expected is None:
            known = recall(path)
            if known is not None:  # it was verified when it arrived, and has not changed since
                return known.sha256
            expected = self._asked()
        return compute(path).sha256 if expected is None else verify(path, expected, self.text)

    def _asked(self) -> Expected | None:
        try:
            found = client.listed_sum(self.repository, self.filename, self.commit)
            why = "the Hub lists no sum"
        except HubError as e:
            found, why = None, e.message.rstrip(".")
        if found is None:
            warnings.warn(f"{self.text} could not be verified ({why})", CacheWarning, stacklevel=6)
        return found

    def _repair(self, path: Path, damage: IntegrityError, progress: bool | None) -> Path:
        """Remove a damaged file and download it once more.

        Forcing the download alone would not do: where the cache has no links, the client keeps the file that is there.
        """
        self._purge(path)
        try:
            return self._download(True, progress)
        except HubError as e:
            why = "offline mode is on" if isinstance(e, OfflineError) else e.message.rstrip(".")
            hint = f"The damaged copy is not used, and it could not be downloaded again: {why}."
            raise _with_hint(damage, hint) from e

    def _verify_repaired(self, path: Path) -> str:
        try:
            return self._verify(path)
        except IntegrityError as e:
            self._purge(path)
            raise _with_hint(e, _TWICE) from e

    def _purge(self, path: Path) -> None:
        purge(path, client.repository_folder(self.repository).parent)


def _with_hint(error: IntegrityError, hint: str) -> IntegrityError:
    return IntegrityError(error.message.partition(" has the wrong content.")[0], error.expected, error.actual, hint=hint)

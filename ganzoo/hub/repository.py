"""Files of any Hub repository, and from the cache where the Hub cannot be reached."""

import warnings

from ganzoo.errors import (
    AuthenticationError,
    CacheWarning,
    GatedRepositoryError,
    HubError,
    RateLimitError,
    RepositoryNotFoundError,
    UnreachableError,
)
from ganzoo.hub import client, refs
from ganzoo.hub.fetched import Fetched
from ganzoo.hub.hubfile import HubFile
from ganzoo.hub.safety import check_name, check_revision

_NOT_SERVED = (UnreachableError, RateLimitError, AuthenticationError, GatedRepositoryError, RepositoryNotFoundError)


def fetch_file(
    repository: str, filename: str, *, revision: str | None = None, force: bool = False, progress: bool | None = None
) -> Fetched:
    """Fetch a file of any Hub repository, verified against the Hub's own sum.

    A branch or tag is resolved to a commit first; pass that commit (``Fetched.revision``) for the other files of the same
    model, so that all come from one commit. A commit whose file is in the cache makes no request.

    Args:
        repository: ``organisation/name``.
        filename: The file's path in it.
        revision: Branch, tag or commit; None is the default branch.
        force: Download again, whatever is in the cache.
        progress: Show a bar; None decides by the terminal.

    Returns:
        The verified file. If the Hub could not be reached it is the cached one, and a `CacheWarning` says so.

    Raises:
        HubError: what went wrong and what to do.
        InvalidValueError: the file name or the revision cannot exist.
    """
    check_name(filename)
    client.check_repository(repository)
    before = None if force or refs.is_commit(revision) else refs.known_commit(repository, revision)
    commit = _resolve(repository, revision, fall_back=not force)
    try:
        return HubFile(repository, filename, commit).fetch(force=force, progress=progress)
    except _NOT_SERVED as e:
        older = None if before in (None, commit) else HubFile(repository, filename, str(before))
        if older is None or older.cached is None:
            raise
        _say_cached(older.text, e)
        return older.fetch(force=False, progress=progress)


def resolve_revision(repository: str, revision: str | None = None) -> str:
    """The commit that a branch or tag is at.

    Args:
        repository: ``organisation/name``.
        revision: Branch, tag or commit; None is the default branch. A commit is returned as it is, without a request.

    Returns:
        40 hexadecimal digits. If the Hub could not be reached, the commit that was last seen, and a `CacheWarning` says so.

    Raises:
        HubError: what went wrong and what to do.
        InvalidValueError: the revision cannot exist.
    """
    return _resolve(repository, revision, fall_back=True)


def _resolve(repository: str, revision: str | None, *, fall_back: bool) -> str:
    client.check_repository(repository)
    if revision is not None and refs.is_commit(check_revision(revision)):
        return revision
    known = refs.known_commit(repository, revision) if fall_back else None
    if known is not None and client.is_offline():
        return known
    try:
        commit = client.head_commit(repository, revision)
    except _NOT_SERVED as e:
        if known is None:
            raise
        _say_cached(f"{repository}@{revision or 'main'}", e)
        return known
    refs.announce(repository, revision, commit)
    return commit


def _say_cached(what: str, error: HubError) -> None:
    """One line: the cached copy is used, and why."""
    verb = "could not reach the Hub" if isinstance(error, UnreachableError) else "the Hub did not serve it"
    text = f"using the cached copy of {what}; {verb} ({error.message.rstrip('.')})"
    warnings.warn(text, CacheWarning, stacklevel=4)

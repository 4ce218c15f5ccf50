"""What a request is about, in words for errors."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Subject:
    """A repository of the Hub, or one file of it, at a revision.

    Attributes:
        repository: ``organisation/name``.
        filename: The file, or None where the repository as a whole is meant.
        revision: Branch, tag or commit; None is the default branch.
        endpoint: The address of the Hub, without a password.
        token: Whether a token was sent.
    """

    repository: str
    filename: str | None
    revision: str | None
    endpoint: str
    token: bool

    @property
    def place(self) -> str:
        """``organisation/name`` and the revision, commits shortened."""
        if self.revision is None:
            return self.repository
        short = self.revision[:10] if len(self.revision) == 40 else self.revision
        return f"{self.repository}@{short}"

    @property
    def text(self) -> str:
        """The file and the repository."""
        return self.place if self.filename is None else f"{self.filename} of {self.place}"

    @property
    def page(self) -> str:
        """The repository's page."""
        return f"{self.endpoint}/{self.repository}"

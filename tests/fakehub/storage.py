"""What the server keeps: repositories with commits, branches and tags, and plain files."""

import fnmatch
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

LFS_PATTERNS = ("*.safetensors", "*.bin", "*.pt", "*.pkl")


@dataclass(frozen=True)
class StoredFile:
    """One file of a commit, as git or as LFS; `xet_hash` names it in the content-addressed store."""

    data: bytes
    lfs: bool

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def blob_id(self) -> str:
        return hashlib.sha1(b"blob %d\0" % len(self.data) + self.data).hexdigest()

    @property
    def etag(self) -> str:
        return self.sha256 if self.lfs else self.blob_id

    @property
    def xet_hash(self) -> str:
        """Any 64 hex digits that differ from the sha256: the client never checks it against the content."""
        return hashlib.sha256(b"xet" + self.data).hexdigest()

    def describe(self, path: str, *, xet: bool) -> dict[str, object]:
        """The entry of the tree and paths-info calls."""
        entry: dict[str, object] = {"type": "file", "path": path, "size": len(self.data), "oid": self.blob_id}
        if self.lfs:
            entry["lfs"] = {"oid": self.sha256, "size": len(self.data), "pointerSize": 134}
            if xet:
                entry["xetHash"] = self.xet_hash
        return entry


@dataclass
class Repository:
    """A model repository. ``gated`` needs granted access to read files, ``private`` to know that it exists."""

    id: str
    private: bool = False
    gated: bool = False
    xet: bool = True
    disabled: bool = False
    commits: dict[str, dict[str, StoredFile]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)

    def commit(self, files: Mapping[str, bytes], *, branch: str = "main", lfs: Iterable[str] = LFS_PATTERNS) -> str:
        """Add or replace files on a branch.

        Returns:
            The 40-hex commit.
        """
        tree = dict(self.commits.get(self.refs.get(branch, ""), {}))
        patterns = tuple(lfs)
        for path, data in files.items():
            tree[path] = StoredFile(data, any(fnmatch.fnmatch(path, pattern) for pattern in patterns))
        listing = "".join(f"{path}:{file.sha256}" for path, file in sorted(tree.items()))
        sha = hashlib.sha1(f"{self.id}{branch}{len(self.commits)}{listing}".encode()).hexdigest()
        self.commits[sha] = tree
        self.refs[branch] = sha
        return sha

    def tag(self, name: str, commit: str) -> None:
        self.refs[name] = commit

    def resolve(self, revision: str) -> str | None:
        """The commit of a branch, tag or commit, or None."""
        return revision if revision in self.commits else self.refs.get(revision)


@dataclass
class PlainFile:
    """A file of an ordinary web server, which may behave badly."""

    data: bytes
    etag: str | None = None
    content_type: str = "application/octet-stream"
    ranges: bool = True
    length: bool = True
    location: str | None = None

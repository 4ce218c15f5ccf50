"""The server: two ports of one machine (the Hub, and a CDN that is another origin), a record of requests, and fault rules."""

import re
import socketserver
import threading
import traceback
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.fakehub.faults import Fault, FaultName, Faults
from tests.fakehub.storage import PlainFile, Repository

_KINDS = (
    ("blob", r"^/api/resolve-cache/models/"),
    ("token", r"^/api/models/[^/]+/[^/]+/xet-read-token/"),
    ("api", r"^/api/models/"),
    ("reconstruction", r"^/v[12]/reconstructions/"),
    ("xorb", r"^/xorbs/"),
    ("cdn", r"^/cdn/"),
    ("file", r"^/files/"),
    ("resolve", r"^/[^/]+/[^/]+/resolve/"),
)


def classify(path: str) -> str:
    """The class of a path: blob, token, api, reconstruction, xorb, cdn, file, resolve or other."""
    return next((kind for kind, pattern in _KINDS if re.match(pattern, path)), "other")


@dataclass
class Request:
    """One request as it arrived; ``status`` is 0 where no answer was sent."""

    method: str
    path: str
    kind: str
    headers: dict[str, str]
    status: int = 0


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    hub: "FakeHub"

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = traceback.format_exc()
        if "ConnectionResetError" not in error and "BrokenPipeError" not in error:
            self.hub.unhandled.append(error)


class FakeHub:
    """The server as a context manager.

    Attributes:
        url: Of the Hub, for ``HF_ENDPOINT``.
        requests: Every request so far.
        unhandled: What the server did not know or failed at; a test asserts that it is empty.
        v2: Whether the second version of the reconstruction call exists.
    """

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.tokens: dict[str, set[str]] = {}
        self.files: dict[str, PlainFile] = {}
        self.requests: list[Request] = []
        self.unhandled: list[str] = []
        self.v2 = True
        self._faults = Faults()
        self._servers = [self._start(), self._start()]
        hub, cdn = (server.server_address[1] for server in self._servers)
        # Two host names: version 1 of the client compares origins by name only, and follows redirects within one.
        self.url, self.cdn_url = f"http://127.0.0.1:{hub}", f"http://localhost:{cdn}"

    def _start(self) -> _Server:
        from tests.fakehub.handler import Handler

        server = _Server(("127.0.0.1", 0), Handler)
        server.hub = self
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return server

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Stop answering; the ports refuse connections from now on."""
        for server in self._servers:
            socketserver.BaseServer.shutdown(server)
            server.server_close()

    # --- content ---

    def repository(self, id: str, **options: bool) -> Repository:
        self.repositories[id] = Repository(id, **options)
        return self.repositories[id]

    def token(self, value: str, *access: str) -> str:
        """Make a token valid; ``access`` are the gated or private repositories that it opens."""
        self.tokens[value] = set(access)
        return value

    def publish(self, name: str, data: bytes, **options: Any) -> str:
        """Put a plain file under ``/files/``.

        Returns:
            Its URL.
        """
        self.files[f"/files/{name}"] = PlainFile(data, **options)
        return f"{self.url}/files/{name}"

    # --- faults and the record ---

    def fault(self, name: FaultName, **rule: Any) -> Fault:
        return self._faults.add(Fault(name, **rule))

    def take_fault(self, method: str, kind: str, path: str) -> Fault | None:
        return self._faults.take(method, kind, path)

    def heal(self) -> None:
        """Remove all fault rules."""
        self._faults.clear()

    def forget(self) -> None:
        """Empty the record of requests."""
        self.requests.clear()

    def seen(self, *, kind: str | None = None, method: str | None = None) -> list[Request]:
        return [r for r in self.requests if kind in (None, r.kind) and method in (None, r.method)]

    def count(self, *, kind: str | None = None, method: str | None = None) -> int:
        return len(self.seen(kind=kind, method=method))

"""One connection: routes, answers, and what a fault does to them."""

import json
import os
import re
import socket
import struct
import time
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.fakehub.faults import Fault
from tests.fakehub.server import FakeHub, Request, classify
from tests.fakehub.storage import PlainFile, Repository, StoredFile
from tests.fakehub.xet import Reconstruction, encode_xorb

_PAGE = b"<!DOCTYPE html><html><body>Please log in to the airport network.</body></html>"
_XET_LIFETIME = 3600


class Handler(BaseHTTPRequestHandler):
    """HTTP/1.1 with keep-alive, quiet."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    fault: Fault | None
    record: Request

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed; requests are recorded instead."""

    @property
    def hub(self) -> FakeHub:
        return self.server.hub  # type: ignore[attr-defined, no-any-return]

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        self.payload = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = unquote(urlsplit(self.path).path)
        kind = classify(path)
        self.record = Request(self.command, self.path, kind, {k.lower(): v for k, v in self.headers.items()})
        self.hub.requests.append(self.record)
        self.fault = self.hub.take_fault(self.command, kind, self.path)
        if not self._fault_before():
            getattr(self, f"_route_{kind}")(path)

    # --- faults -------------------------------------------------------------------------------------------------------

    def _fault_before(self) -> bool:
        """Faults that need no answer of the route; True when the request is done with."""
        fault = self.fault
        if fault is None:
            return False
        if fault.name in ("delay",):
            time.sleep(fault.seconds)
        elif fault.name == "drop":
            self._hang_up(reset=False)
        elif fault.name == "reset":
            self._hang_up(reset=True)
        elif fault.name == "page":
            self._answer(200, _PAGE, {"Content-Type": "text/html; charset=utf-8"})
        elif fault.name == "status":
            self._answer(fault.status, b"fault\n", fault.headers)
        return fault.name in ("drop", "reset", "page", "status")

    def _hang_up(self, *, reset: bool) -> None:
        self.close_connection = True
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(self.connection.detach())  # at once: close() would wait for the two file objects
        else:
            self.connection.shutdown(socket.SHUT_RDWR)

    def _send_body(self, body: bytes) -> None:
        name = self.fault.name if self.fault else ""
        half = len(body) // 2
        if name in ("truncate", "cut"):
            self.wfile.write(body[:half])
            self.wfile.flush()
            time.sleep(0.05)  # let the client read what was sent: RST would throw it away
            self._hang_up(reset=name == "cut")
        elif name == "stall" and self.fault:
            self.wfile.write(body[:half])
            self.wfile.flush()
            time.sleep(self.fault.seconds)
            self.wfile.write(body[half:])
        else:
            self.wfile.write(body)

    # --- answers ------------------------------------------------------------------------------------------------------

    def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None, *, length: bool = True) -> None:
        headers = dict(headers or {})
        if self.command != "HEAD" and self.fault and status < 300:
            body = _damage(self.fault, body, self.record.kind)
        self.record.status = status
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if length:
            self.send_header("Content-Length", headers.get("X-Fake-Length", str(len(body))))
        else:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if self.command != "HEAD":
            self._send_body(body)

    def _json(self, status: int, content: object, headers: dict[str, str] | None = None) -> None:
        self._answer(status, json.dumps(content).encode(), {"Content-Type": "application/json", **(headers or {})})

    def _error(self, status: int, code: str | None, message: str, headers: dict[str, str] | None = None) -> None:
        extra = {"X-Error-Message": message, **({"X-Error-Code": code} if code else {}), **(headers or {})}
        self._json(status, {"error": message}, extra)

    def _content(self, data: bytes, headers: dict[str, str], *, ranges: bool = True, length: bool = True) -> None:
        """``data``, or the range of it that was asked for."""
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")) if ranges else None
        condition = self.headers.get("If-Range")
        if asked is None or (condition is not None and condition != headers.get("ETag")):
            return self._answer(200, data, headers, length=length)
        start = int(asked[1])
        end = min(int(asked[2]) if asked[2] else len(data) - 1, len(data) - 1)
        if start > end:
            return self._answer(416, b"", {"Content-Range": f"bytes */{len(data)}"})
        headers = {**headers, "Content-Range": f"bytes {start}-{end}/{len(data)}"}
        return self._answer(206, data[start : end + 1], headers, length=length)

    # --- access -------------------------------------------------------------------------------------------------------

    def _repository(self, id: str, *, read: bool) -> Repository | None:
        """The repository, or None after an error was answered, as hf.co does it."""
        token = self.headers.get("Authorization", "").removeprefix("Bearer ") or None
        repository = self.hub.repositories.get(id)
        if token is not None and token not in self.hub.tokens:
            self._error(401, None, "Invalid credentials in Authorization header")
            return None
        granted = token is not None and id in self.hub.tokens[token]
        if repository is None or (repository.private and not granted):
            self._error(404, "RepoNotFound", "Repository not found") if token else self._error(
                401, None, "Invalid username or password."
            )
            return None
        if repository.disabled:
            self._error(403, None, "Access to this resource is disabled.")
            return None
        if read and repository.gated and not granted:
            text = f"Access to model {id} is restricted and you are not in the authorized list."
            self._error(403 if token else 401, "GatedRepo", text)
            return None
        return repository

    def _tree(self, id: str, revision: str, *, read: bool) -> tuple[Repository, str, dict[str, StoredFile]] | None:
        repository = self._repository(id, read=read)
        if repository is None:
            return None
        commit = repository.resolve(revision)
        if commit is None:
            self._error(404, "RevisionNotFound", f"Invalid rev id: {revision}")
            return None
        return repository, commit, repository.commits[commit]

    # --- routes -------------------------------------------------------------------------------------------------------

    def _route_resolve(self, path: str) -> None:
        id, rest = re.fullmatch(r"/([^/]+/[^/]+)/resolve/(.+)", path).groups()  # type: ignore[union-attr]
        raw = urlsplit(self.path).path.split("/resolve/", 1)[1]
        revision, name = unquote(raw.split("/", 1)[0]), rest[len(unquote(raw.split("/", 1)[0])) + 1 :]
        found = self._tree(id, revision, read=True)
        if found is None:
            return
        repository, commit, tree = found
        file = tree.get(name)
        if file is None:
            self._error(404, "EntryNotFound", "Entry not found", {"X-Repo-Commit": commit})
        elif file.lfs:
            self._answer(302, b"", self._lfs_headers(repository, commit, file))
        else:
            location = f"/api/resolve-cache/models/{id}/{commit}/{name}"
            self._answer(307, b"", {"Location": location, "X-Repo-Commit": commit, "ETag": f'"{file.etag}"'})

    def _lfs_headers(self, repository: Repository, commit: str, file: StoredFile) -> dict[str, str]:
        headers = {
            "Location": f"{self.hub.cdn_url}/cdn/{file.sha256}?Signature=signed-url-secret",
            "X-Repo-Commit": commit,
            "X-Linked-Etag": f'"{file.sha256}"',
            "X-Linked-Size": str(len(file.data)),
            "ETag": f'"{file.sha256[:32]}"',
        }
        if repository.xet:
            route = f"{self.hub.url}/api/models/{repository.id}/xet-read-token/{commit}"
            headers |= {"X-Xet-Hash": file.xet_hash, "Link": f'<{route}>; rel="xet-auth"'}
        return headers

    def _route_blob(self, path: str) -> None:
        id, commit, name = re.fullmatch(r"/api/resolve-cache/models/([^/]+/[^/]+)/(\w+)/(.+)", path).groups()  # type: ignore[union-attr]
        found = self._tree(id, commit, read=True)
        if found is not None:
            file = found[2][name]
            self._content(file.data, {"ETag": f'"{file.etag}"', "X-Repo-Commit": commit})

    def _route_cdn(self, path: str) -> None:
        if "Authorization" in self.headers:
            self.hub.unhandled.append("the Hub's token was sent to the CDN")
        file = self._find("sha256", path.rsplit("/", 1)[1])
        self._content(file.data, {"ETag": f'"{file.sha256}"'}) if file else self._answer(404, b"not here")

    def _route_api(self, path: str) -> None:
        match = re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/(revision|tree|paths-info)/(.+))?", path)
        if match is None:
            return self._route_other(path)
        id, call, revision = match.groups()
        found = self._tree(id, revision or "main", read=False)
        if found is None:
            return None
        repository, commit, tree = found
        if call in (None, "revision"):
            siblings = [{"rfilename": name} for name in sorted(tree)]
            info = {"_id": "1", "id": id, "modelId": id, "sha": commit, "siblings": siblings, "tags": [], "private": False}
            return self._json(200, {**info, "private": repository.private, "gated": "auto" if repository.gated else False})
        names = sorted(tree)
        if call == "paths-info":
            names = [name for name in parse_qs(self.payload.decode()).get("paths", []) if name in tree]
        return self._json(200, [tree[name].describe(name, xet=repository.xet) for name in names])

    def _route_token(self, path: str) -> None:
        id = "/".join(path.split("/")[3:5])
        if self._repository(id, read=True) is None:
            return
        expires = int(time.time()) + _XET_LIFETIME
        headers = {
            "X-Xet-Cas-Url": self.hub.cdn_url,
            "X-Xet-Access-Token": "xet-access-token",
            "X-Xet-Token-Expiration": str(expires),
        }
        self._json(200, {"casUrl": self.hub.cdn_url, "accessToken": "xet-access-token", "exp": expires}, headers)

    def _route_reconstruction(self, path: str) -> None:
        version, hash = path.split("/")[1], path.rsplit("/", 1)[1]
        file = self._find("xet_hash", hash)
        if file is None or (version == "v2" and not self.hub.v2):
            return self._answer(404, b"")
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        start = int(asked[1]) if asked else 0
        end = min(int(asked[2]) + 1 if asked and asked[2] else len(file.data), len(file.data))
        if start >= end:
            return self._answer(416, b"")
        url = f"{self.hub.cdn_url}/xorbs/{hash}?Signature=signed-url-secret"
        return self._json(200, Reconstruction.of(file.data, start, end, hash=hash, url=url).answer(version))

    def _route_xorb(self, path: str) -> None:
        file = self._find("xet_hash", path.rsplit("/", 1)[1])
        self._content(encode_xorb(file.data), {}) if file else self._answer(404, b"")

    def _route_file(self, path: str) -> None:
        file: PlainFile | None = self.hub.files.get(path)
        if file is None:
            return self._answer(404, b"not here")
        if file.location is not None:
            return self._answer(302, b"", {"Location": file.location})
        headers = {"Content-Type": file.content_type, **({"ETag": file.etag} if file.etag else {})}
        return self._content(file.data, headers, ranges=file.ranges, length=file.length)

    def _route_other(self, path: str) -> None:
        if path not in ("/api/agent-harnesses", "/v1/telemetry", "/api/telemetry"):
            self.hub.unhandled.append(f"{self.command} {self.path}")
        self._json(200 if path.endswith("telemetry") else 404, {})

    def _find(self, attribute: str, value: str) -> StoredFile | None:
        for repository in self.hub.repositories.values():
            for tree in repository.commits.values():
                for file in tree.values():
                    if file.lfs and getattr(file, attribute) == value:
                        return file
        return None


def _damage(fault: Fault, body: bytes, kind: str) -> bytes:
    if fault.name == "corrupt" and body:
        at = 13 if kind == "xorb" else len(body) // 2  # in a xorb: inside the first chunk's data, not its header
        return body[:at] + bytes([body[at] ^ 0x40]) + body[at + 1 :]
    return body[: len(body) // 2] if fault.name == "short" else body

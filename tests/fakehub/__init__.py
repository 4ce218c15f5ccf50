"""A Hub-compatible server on loopback, for the real client, with faults by rule and a record of every request.

with FakeHub() as hub:
    repository = hub.repository("someone/gan")
    commit = repository.commit({"config.json": b"{}", "generator.safetensors": weights})
    hub.fault("reset", kind="resolve", times=1)
    ...run a process with HF_ENDPOINT=hub.url...
    assert hub.count(kind="cdn") == 1
"""

from tests.fakehub.faults import Fault
from tests.fakehub.server import FakeHub, Request
from tests.fakehub.storage import PlainFile, Repository

__all__ = ["FakeHub", "Fault", "PlainFile", "Repository", "Request"]

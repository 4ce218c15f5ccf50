"""As much of the xet protocol as a download needs: chunks in the xorb format, and reconstructions (v1 and v2).

A xorb is a run of chunks. A chunk is a header of 8 bytes (version, packed length in 3 bytes little-endian, compression scheme,
unpacked length in 3 bytes) and its data; scheme 0 stores the data as it is. Every file is one xorb here.
"""

from dataclasses import dataclass

CHUNK = 64 * 1024
HEADER = 8


def encode_xorb(data: bytes) -> bytes:
    """The serialised chunks of ``data``."""
    out = bytearray()
    for start in range(0, len(data), CHUNK):
        chunk = data[start : start + CHUNK]
        size = len(chunk).to_bytes(3, "little")
        out += b"\0" + size + b"\0" + size + chunk
    return bytes(out)


@dataclass(frozen=True)
class Reconstruction:
    """How a byte range of a file is put together: chunks ``first`` to ``last`` (exclusive) of its one xorb."""

    hash: str
    url: str
    first: int
    last: int
    offset: int
    unpacked: int
    packed: tuple[int, int]

    @classmethod
    def of(cls, data: bytes, start: int, end: int, *, hash: str, url: str) -> "Reconstruction":
        first, last = start // CHUNK, (end - 1) // CHUNK + 1
        stop = min(last * CHUNK, len(data))
        packed = (first * (CHUNK + HEADER), stop + last * HEADER - 1)
        return cls(hash, url, first, last, start - first * CHUNK, stop - first * CHUNK, packed)

    def answer(self, version: str) -> dict[str, object]:
        chunks = {"start": self.first, "end": self.last}
        packed = {"start": self.packed[0], "end": self.packed[1]}
        out: dict[str, object] = {
            "offset_into_first_range": self.offset,
            "terms": [{"hash": self.hash, "unpacked_length": self.unpacked, "range": chunks}],
        }
        if version == "v1":
            out["fetch_info"] = {self.hash: [{"range": chunks, "url": self.url, "url_range": packed}]}
        else:
            out["xorbs"] = {self.hash: [{"url": self.url, "ranges": [{"chunks": chunks, "bytes": packed}]}]}
        return out

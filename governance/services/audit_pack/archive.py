"""The archive of an audit pack: files in the order they are written, without times, each with its hash."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import IO, Any

# The same content is the same bytes whenever it is packed: the earliest moment the format knows.
_MOMENT = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644 << 16
# What the hash of the data covers; the document names it, so it cannot cover the document.
_DATA = ("data/", "chain/", "evidence/")


class Archive:
    """A zip that is being written, and what its manifest will list."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, allowZip64=True)
        self.files: list[dict[str, Any]] = []

    def put(self, path: str, content: bytes | str) -> None:
        """Write one file and list it."""
        self.put_pieces(path, [content.encode() if isinstance(content, str) else content])

    def put_pieces(self, path: str, pieces: Iterable[bytes]) -> str:
        """Write one file piece by piece and list it; returns its SHA-256."""
        found, size = sha256(), 0
        with self._writing(path) as target:
            for piece in pieces:
                found.update(piece)
                size += len(piece)
                target.write(piece)
        self.files.append({"path": path, "sha256": found.hexdigest(), "size": size})
        return found.hexdigest()

    def put_unlisted(self, path: str, content: bytes) -> None:
        """Write the manifest, which cannot list itself."""
        with self._writing(path) as target:
            target.write(content)

    def data_hash(self) -> str:
        """Return the one hash over all data: SHA-256 of a line `hash  path` for each file of it, by path."""
        listed = sorted((each["path"], each["sha256"]) for each in self.files if each["path"].startswith(_DATA))
        return sha256("".join(f"{digest}  {path}\n" for path, digest in listed).encode()).hexdigest()

    def close(self) -> None:
        """Write the archive's own directory."""
        self._zip.close()

    def go_on(self) -> None:
        """Open a closed archive again, to put more into it."""
        self._zip = zipfile.ZipFile(self.file, "a", zipfile.ZIP_DEFLATED, allowZip64=True)

    @contextmanager
    def _writing(self, path: str) -> Iterator[IO[bytes]]:
        info = zipfile.ZipInfo(path, _MOMENT)
        info.compress_type, info.external_attr, info.create_system = zipfile.ZIP_DEFLATED, _MODE, 3
        with self._zip.open(info, "w", force_zip64=True) as target:
            yield target


def json_rows(rows: Iterable[str]) -> Iterator[bytes]:
    """Yield JSON texts as one array, a row a line."""
    yield b"["
    for index, row in enumerate(rows):
        yield (",\n" if index else "\n").encode() + row.encode()
    yield b"\n]\n"

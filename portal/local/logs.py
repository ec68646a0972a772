"""Show the growing log files of the portal's programs in the terminal, each line with its program's name."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TextIO

INTERVAL = 0.25


class LogFollower:
    """Prints what is appended to `<name>.log` from now on, in a thread of its own.

    The files are read rather than a pipe, so that a terminal that goes away stops nothing.
    """

    def __init__(self, directory: Path, names: Sequence[str], output: TextIO | None = None) -> None:
        """Remember where each file ends now; `output` is standard output unless given."""
        self._output = output or sys.stdout
        self._width = max(len(name) for name in names)
        self._files = {name: _Tail(directory / f"{name}.log") for name in names}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="logs", daemon=True)

    def start(self) -> None:
        """Begin to print."""
        self._thread.start()

    def stop(self) -> None:
        """Print what is left and end."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(2)

    def _follow(self) -> None:
        with suppress(BrokenPipeError, ValueError):  # the reader has gone, or the stream is closed
            while not self._stop.wait(INTERVAL):
                self._print_new()
            self._print_new()

    def _print_new(self) -> None:
        for name, tail in self._files.items():
            for line in tail.lines():
                self._output.write(f"{name:<{self._width}} | {line}\n")
        self._output.flush()


class _Tail:
    """The part of one file that has not been read; starts over when the file is rotated."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._inode, self._offset = self._identity()
        self._rest = b""

    def lines(self) -> list[str]:
        inode, size = self._identity()
        if inode != self._inode or size < self._offset:
            self._inode, self._offset, self._rest = inode, 0, b""
        if size == self._offset:
            return []
        with suppress(OSError), self._path.open("rb") as file:
            file.seek(self._offset)
            new = file.read()
            self._offset += len(new)
            *whole, self._rest = (self._rest + new).split(b"\n")
            return [line.decode(errors="replace").rstrip("\r") for line in whole]
        return []

    def _identity(self) -> tuple[int, int]:
        try:
            status = self._path.stat()
        except OSError:
            return 0, 0
        return status.st_ino, status.st_size

"""Run one command and end with its exit code: 0 yes or done, 1 no, 2 for everything that is not an answer."""

from __future__ import annotations

import io
import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

YES, NO, ERROR = 0, 1, 2
# What Typer makes of Ctrl-C, as shells write it: 128 and the number of the signal.
INTERRUPTED = 130


def main() -> None:
    """Run the command that was typed."""
    _open_what_is_closed()
    code = run(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            # Whoever read the answer has gone, and may have missed the end of it.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            code = ERROR
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code.

    Whatever goes wrong is 2, also what nobody foresaw: a pipeline that asks the gate must never take a fault for an
    answer. That is why everything is imported in here.
    """
    try:
        return _run(arguments)
    except SystemExit as ended:
        # Completion of a shell ends so, and Typer where whoever reads the answer has gone: with 1, which is an answer.
        return ERROR if ended.code else YES
    except KeyboardInterrupt:
        _complain("interrupted")
    except Exception as error:  # noqa: BLE001 - whatever it is, it ends with 2 and never as the gate's answer
        _complain(f"{type(error).__name__}: {error}")
        if os.environ.get("GOVERNANCE_DEBUG"):
            traceback.print_exc()
    return ERROR


def _open_what_is_closed() -> None:
    """Let a stream that was closed before (`>&-`) swallow what is written: Python has none there at all."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - as long as the process


def _complain(text: str) -> None:
    """Say what went wrong, if anybody is there to hear it: the exit code says it anyway."""
    with suppress(OSError):
        sys.stderr.write(f"governance: {text}\n")


def _run(arguments: Sequence[str]) -> int:
    from . import output  # noqa: PLC0415 - as run() says
    from .app import built  # noqa: PLC0415 - as run() says
    from .failures import Failure  # noqa: PLC0415 - as run() says

    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a letter gets its number.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    as_json = "--json" in arguments
    try:
        code = built()(args=list(arguments), prog_name="governance", standalone_mode=False)
    except Failure as failure:
        output.failed(failure, as_json=as_json)
        return ERROR
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        output.failed(Failure("A file could not be read or written", what), as_json=as_json)
        return ERROR
    except Exception as error:
        # Typer's own: a usage error knows how to show itself, an abort has nothing to say.
        show = getattr(error, "show", None)
        if callable(show):
            show()
        elif type(error).__name__ == "Abort":
            output.note("governance: nothing was entered")
        else:
            raise
        return ERROR
    if code == INTERRUPTED:
        _complain("interrupted")
    return YES if code is None or code == YES else NO if code == NO else ERROR


if __name__ == "__main__":
    main()

"""The verifier."""

from __future__ import annotations

from .conftest import Made


def test_it_is_sound(made: Made, tmp_path) -> None:
    (tmp_path / "x.zip").write_bytes(made.archive)
    from pathlib import Path
    Path("/tmp/packs-x.zip").write_bytes(made.archive)
    print(made.pack.verdict, made.pack.left_out, made.pack.contents)
    assert made.pack.is_sound

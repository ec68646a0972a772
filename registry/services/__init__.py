"""Writes to what exists: one function per use case, `verb(*, actor, ...)`."""

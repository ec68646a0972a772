"""Writes to what is allowed: `verb(*, actor, ...)`, lock, authorise, guard, write, outbox, one transaction."""

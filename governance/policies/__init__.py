"""Policy as pure functions over frozen facts; no Django in here."""

"""Audit packs: asking for one, building it, giving it out, and the verifier that travels with it."""

"""Reads of what is allowed; they start at `visible_to` or take what the caller has already been allowed to see."""

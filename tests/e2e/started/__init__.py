"""Journeys against a started portal, which they share."""

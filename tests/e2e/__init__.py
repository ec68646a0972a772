"""Journeys against a started portal."""

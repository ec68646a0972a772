"""Journeys in the pages, through the API and in the terminal."""

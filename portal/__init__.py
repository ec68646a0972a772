"""The project package: settings, wiring, and the bottom layer both apps stand on."""

from .celery import app as celery_app

__all__ = ["celery_app"]

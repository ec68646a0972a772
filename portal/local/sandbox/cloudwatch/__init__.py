"""Extend moto's CloudWatch by pages, and by series that are found without looking through every point there is."""

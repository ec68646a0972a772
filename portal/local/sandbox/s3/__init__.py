"""Extend moto's S3 by tags that are written one resource at a time."""

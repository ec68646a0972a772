"""Model cards of their own: read, judged, shown, written."""

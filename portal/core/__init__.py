"""The bottom layer: what both apps stand on. It imports neither of them."""

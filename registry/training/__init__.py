"""What is known of how a model was trained: which algorithm an image holds, and where a version says it came from."""

"""What is to happen, written down as tables by hand: the tests compare them with what the services do."""

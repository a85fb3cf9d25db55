"""The HTTP face: requests to calls of `Worker` and `Session`, and back."""

"""For those who write a store driver: the tests that hold one to its port, and an example that passes them."""

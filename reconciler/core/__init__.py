"""What reconciling means, in plain Python: no I/O, nothing third-party."""

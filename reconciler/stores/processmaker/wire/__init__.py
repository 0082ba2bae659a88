"""One request to an instance and its answer: address, log-in, limits, patience."""

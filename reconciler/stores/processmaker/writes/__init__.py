"""Changes as requests: their order, several in flight, and what became of those without an answer."""

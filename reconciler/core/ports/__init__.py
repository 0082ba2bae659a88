"""What the core asks of the outside: a source of desired state, a live store, a state beside it, secrets."""

"""A ProcessMaker instance as live store, by its REST API."""

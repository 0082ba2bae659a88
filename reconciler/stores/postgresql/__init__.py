"""PostgreSQL: the store of a team, in a schema on a server."""

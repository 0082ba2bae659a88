"""Access tokens: requested from OAuth 2.0 servers and from token requests of their own kind."""

"""A small Django project that is nothing but an OAuth 2.0 server."""

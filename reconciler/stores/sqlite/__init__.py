"""SQLite: the store in one file on this machine."""

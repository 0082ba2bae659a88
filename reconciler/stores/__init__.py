"""Live state in, changes out."""

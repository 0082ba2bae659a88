"""Edits of YAML files, and their canonical form, that keep the author's lines, comments and quotes."""

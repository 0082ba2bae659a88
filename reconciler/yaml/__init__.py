"""YAML below everything that reads or writes it: one builder of trees, and one writer of text."""

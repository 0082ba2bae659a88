"""Builds the parts of a run. Only this package opens things."""

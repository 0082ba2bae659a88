"""Roundtrip."""

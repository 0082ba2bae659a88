"""The SQL store: one schema and one code path for every SQL driver."""

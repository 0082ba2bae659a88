"""All that an instance holds, read in pages."""

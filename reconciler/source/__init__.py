"""Git and YAML to desired state: which files, values, positions, schema, references."""

"""Bytes of YAML to values, behind one function: `reconciler.source.yaml.loader.load`."""

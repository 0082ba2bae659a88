"""GitOps for data connectors: definitions in git, validated, planned and applied to a live store."""

__version__ = "0.1.0"

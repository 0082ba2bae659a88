"""Which rules are about secrets and safe connections; services of code scanning list those apart."""

_TRANSPORT = frozenset({"RC601", "RC602", "RC605"})


def is_about_security(code: str) -> bool:
    """Whether the rule guards secrets or connections."""
    return code == "RC210" or code.startswith("RC4") or code in _TRANSPORT

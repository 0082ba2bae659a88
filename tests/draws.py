"""How many examples a property is tried on: few in each run, and by RECONCILER_DRAWS as many as there is time for."""

import os


def draws(number: int) -> int:
    """So many examples, times what the environment says."""
    return number * int(os.environ.get("RECONCILER_DRAWS", "1"))

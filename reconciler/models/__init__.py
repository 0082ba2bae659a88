"""Typed, frozen models of what comes in from others and of what is handed out; the names in `reconciler` are the public ones.

Nothing on the way of `validate` and `plan` imports them: pydantic takes longer to load than those take to run.
"""

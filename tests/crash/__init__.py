"""Cutting a run off: every state that a kill or a power cut can leave, made from one trace of its system calls."""

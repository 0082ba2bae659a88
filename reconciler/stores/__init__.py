"""Live state in, changes out: a driver for each scheme of URLs, in the table of `drivers.py`."""

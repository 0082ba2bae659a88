"""The command line: commands that belong together share a module, and `app.py` names them all. Only this prints and exits."""

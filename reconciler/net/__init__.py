"""HTTP: certificates verified, time and size limited."""

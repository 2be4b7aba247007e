"""Outputs: a report becomes text or bytes; one file per format."""

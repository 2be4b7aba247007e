"""A small fleet with known faults on loopback."""

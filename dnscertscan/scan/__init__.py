"""Stage 3: one observation per target."""

"""Stage 1: where zones come from."""

"""Stage 4: rules over what was seen."""

"""Stage 2: from records to addresses to targets."""

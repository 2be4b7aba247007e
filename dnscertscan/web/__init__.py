"""One HTTP exchange, bounded, with an address that was checked; the stages that fetch are built on it."""

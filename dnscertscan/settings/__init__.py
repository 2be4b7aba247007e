"""Configuration: a TOML file becomes validated settings."""

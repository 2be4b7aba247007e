"""``python -m dnscertscan``."""

from dnscertscan.cli import main

if __name__ == "__main__":
    main()

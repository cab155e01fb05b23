"""``python -m glasshouse`` is the same as the command ``glasshouse``."""

from __future__ import annotations

from glasshouse.cli.main import main

if __name__ == "__main__":
    main()

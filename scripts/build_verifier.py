"""Writes the self-contained verifier, deploy/verifier/verify_glasshouse.py, from the package's own modules.

python scripts/build_verifier.py            write it
python scripts/build_verifier.py --check    only say whether it is out of date (exit 1)
"""

from __future__ import annotations

import sys
from pathlib import Path

from glasshouse.ledger.audit.single_file import single_file

TARGET = Path(__file__).resolve().parent.parent / "deploy" / "verifier" / "verify_glasshouse.py"


def main() -> int:
    """Writes or checks the file."""
    text = single_file()
    if "--check" in sys.argv[1:]:
        if TARGET.read_text(encoding="utf-8") == text:
            return 0
        print(f"{TARGET.name} is out of date; run scripts/build_verifier.py", file=sys.stderr)
        return 1
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

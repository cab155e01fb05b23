"""Puts the verifier's modules together into one self-contained file, in reading order."""

from __future__ import annotations

import re
from pathlib import Path

MODULES = ("proofs", "notes", "policy", "entries", "sources", "verify", "command")
HEADER = '''#!/usr/bin/env python3
"""Verifies a Glasshouse log, its published form, or one receipt, offline: ``python verify_glasshouse.py --help``.

Needs this file, Python 3.11 and the package ``cryptography``.  It is written to be read in one sitting by somebody who
does not trust the operator: hashes and proofs, signed notes and keys, the policy, the entries, where a log is read
from, what can be verified, the command line.  Exit status: 0 all holds, 2 usage, 6 something does not hold.

Made from the package ``glasshouse.ledger.audit``, which verifies with the same code.  Licence: Apache-2.0.
"""

from __future__ import annotations

'''
_OWN = re.compile(r"^from glasshouse\.[^\n]* import (?:\([^)]*\)|[^\n]*)\n", re.MULTILINE)
_IMPORT = re.compile(r"^(?:import|from) [^\n]*\n", re.MULTILINE)
_DOCSTRING = re.compile(r'\A"""(.*?)"""\n', re.DOTALL)


def single_file() -> str:
    """The text of ``verify_glasshouse.py``."""
    plain: set[str] = set()
    named: dict[str, set[str]] = {}
    parts = []
    for name in MODULES:
        text = (Path(__file__).parent / f"{name}.py").read_text(encoding="utf-8")
        title = _DOCSTRING.match(text)
        assert title is not None
        text = _OWN.sub("", text[title.end() :]).replace("from __future__ import annotations\n", "", 1)
        for line in _IMPORT.findall(text):
            words = line.strip().split(maxsplit=3)
            if words[0] == "import":
                plain.add(words[1])
            else:
                named.setdefault(words[1], set()).update(each.strip() for each in words[3].split(","))
        parts.append(f"# --- {' '.join(title[1].split())}\n\n\n{_IMPORT.sub('', text).strip()}\n")
    lines = [f"import {name}" for name in sorted(plain)]
    lines += [f"from {name} import {', '.join(sorted(some))}" for name, some in sorted(named.items())]
    return HEADER + "\n".join(lines) + "\n\n" + "\n\n".join(parts)

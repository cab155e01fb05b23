"""The command line of the self-contained verifier."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from glasshouse.ledger.audit.proofs import Fault
from glasshouse.ledger.audit.verify import describe, verify

EXIT_HOLDS, EXIT_USAGE, EXIT_FAULT = 0, 2, 6


def main(arguments: list[str] | None = None) -> int:
    """The exit status: 0 all holds, 2 usage, 6 something does not hold."""
    parser = argparse.ArgumentParser(description="Verify a Glasshouse receipt or log, offline.")
    parser.add_argument("path", type=Path, help="a receipt, a published log, or the directory of a live log")
    parser.add_argument("--policy", type=Path, help="tlog-policy file with the log's and the witnesses' keys")
    parser.add_argument("--since", type=Path, help="file with a checkpoint that the log must still contain")
    parser.add_argument("--raw", action="store_true", help="entries of any log: check hashes and signatures only")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    given = parser.parse_args(arguments)
    if not given.path.exists():
        parser.error(f"{given.path}: no such file or directory")
    try:
        report = verify(given.path, policy=given.policy, since=given.since, raw=given.raw)
    except Fault as fault:
        if given.format == "json":
            sys.stdout.write(
                json.dumps({"holds": False, "what": fault.what, "where": fault.where, "index": fault.index}) + "\n"
            )
        sys.stderr.write(f"verification failed: {fault}\n")
        return EXIT_FAULT
    found = {"holds": True, **report._asdict()}
    sys.stdout.write(json.dumps(found) + "\n" if given.format == "json" else describe(report))
    return EXIT_HOLDS


if __name__ == "__main__":
    sys.exit(main())

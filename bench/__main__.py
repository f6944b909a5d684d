"""`python -m bench [name …]`: print the table; with RECORD=1 in the environment, write bench/measured.json too."""

import importlib
import os
import sys
from pathlib import Path

from bench import record
from bench.timing import ratio

OTHERS = {"__init__", "__main__", "record", "timing"}
MODULES = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in OTHERS)


def main(names):
    measured = {}
    print("| work | against | ratio | at most |\n|---|---|--:|--:|")
    for name in names or MODULES:
        for row in importlib.import_module(f"bench.{name}").rows():
            value = measured[row.key] = ratio(row)
            print(f"| {row.work} | {row.peer} | {value:.3g} | {row.at_most or ''} |", flush=True)
    if os.environ.get("RECORD"):
        record.write(measured, [row for name in MODULES for row in importlib.import_module(f"bench.{name}").rows()])


if __name__ == "__main__":
    main(sys.argv[1:])

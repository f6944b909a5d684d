"""`python -m bench [name …]`: print the table; with RECORD=1 in the environment, write bench/measured.json too."""

import importlib
import os
import sys

from bench import record
from bench.timing import ratio

MODULES = ["vectors_and_dot_products", "backpropagation", "attention", "convolution", "recurrence"]


def main(names):
    measured = {}
    print("| work | against | ratio | at most |\n|---|---|--:|--:|")
    for name in names or MODULES:
        for row in importlib.import_module(f"bench.{name}").rows():
            value = measured[row.key] = ratio(row)
            print(f"| {row.work} | {row.peer} | {value:.3g} | {row.at_most or ''} |", flush=True)
    if os.environ.get("RECORD"):
        record.write(measured)


if __name__ == "__main__":
    main(sys.argv[1:])

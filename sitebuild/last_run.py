"""When `make test` last ran as a whole, and with what. `RECORD=1 make test` writes docs/contributing/last_run.json."""

import json

from sitebuild import ROOT

PATH = ROOT / "docs" / "contributing" / "last_run.json"


def table(page, *_):
    """The record as a table."""
    if not PATH.exists():
        return "Not recorded yet."
    facts = json.loads(PATH.read_text(encoding="utf-8"))
    rows = [f"| {name} | {value} |" for name, value in facts.items()]
    return "\n".join(["| | |", "|:--|:--|", *rows])

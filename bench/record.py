"""What was measured, when and on what: bench/measured.json, from which the pages take every speed they print."""

import datetime
import json
import os
import platform
from pathlib import Path

import numpy as np

PATH = Path(__file__).with_name("measured.json")


def read():
    """{"ratios": {key: ratio}, "rows": {key: [work, against, at most]}, "machine": …, "date": …}"""
    return json.loads(PATH.read_text(encoding="utf-8"))


def ratio(key):
    """One recorded ratio."""
    return read()["ratios"][key]


def write(measured, rows):
    """Merge new ratios into the record; rows are all that there are, so that the site can show them without torch."""
    old = read()["ratios"] if PATH.exists() else {}
    facts = {
        "ratios": {key: float(f"{value:.4g}") for key, value in sorted({**old, **measured}.items())},
        "rows": {row.key: [row.work, row.peer, row.at_most] for row in rows},
        "machine": f"{processor()}, {len(os.sched_getaffinity(0))} cores",
        "versions": {"python": platform.python_version(), "numpy": np.__version__},
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
    }
    PATH.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def processor():
    """The processor's name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()

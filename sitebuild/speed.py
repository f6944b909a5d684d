"""What was measured of speed, as a table: bench/measured.json, which `RECORD=1 make bench` writes."""

from bench import record


def table(page, *_):
    """Each row with its ratio; then the machine, the versions, and that no GPU was there."""
    facts = record.read()
    lines = ["| work | against | ratio | at most |", "|:--|:--|--:|--:|"]
    for key, (work, against, at_most) in facts["rows"].items():
        ratio = facts["ratios"][key]
        shown = f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.3g}"
        lines.append(f"| {work} | {against} | {shown} | {at_most or ''} |")
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    return "\n".join([*lines, "", f"{facts['machine']}; {versions}; {facts['date']}. **On a GPU: not measured.**"])


def missed(page, *_):
    """The list of bench/missed.md: what is slower than it should be, and why."""
    text = record.PATH.with_name("missed.md").read_text(encoding="utf-8")
    return text[text.index("- `") :]

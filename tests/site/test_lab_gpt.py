"""What the lab "A GPT from scratch" says of its numbers, read from what its cells printed."""

import re

import pytest

from sitebuild import labs


@pytest.mark.slow
def test_a_gpt_from_scratch_learns_and_looks_back():
    printed = "".join(cell["text"] for cell in labs.record("gpt_from_scratch"))
    losses = [float(n) for n in re.findall(r"step \d+: loss ([\d.]+)", printed)]
    assert len(losses) == 4
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 1.8
    right = {about: int(share) for about, share in re.findall(r"^(\w+) +(\d+)%$", printed, re.M)}
    assert right["holder"] >= 75
    assert set(right) == {"holder", "giver", "thing", "place", "feeling"}
    table = printed.split("by block and head\n")[1].split("]]")[0]
    best, *others = sorted((float(n) for n in re.findall(r"[\d.]+", table)), reverse=True)
    assert best > 0.35
    assert max(others) < 0.12
    said, truth = re.search(r"It says (\w+); right is (\w+)\.", printed).groups()
    assert said == truth

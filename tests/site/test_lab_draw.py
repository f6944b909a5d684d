"""What the lab "Draw a digit from words" says of its numbers, read from what its cells printed."""

import re

import pytest

from sitebuild import labs


@pytest.mark.slow
def test_the_lab_draws_what_is_asked_for():
    printed = "".join(cell["text"] for cell in labs.record("draw_a_digit"))
    read = [int(digit) for digit in re.findall(r"after +\d+ steps read as (\d)", printed)]
    assert read[0] != 3
    assert read[2:] == [3] * 4
    assert re.search(r"^read as(( 3){10})$", printed, re.M)
    away = [float(n) for n in re.findall(r"\d+ steps: ([\d.]+) away", printed)]
    assert away == sorted(away, reverse=True)
    rows = re.findall(r"guidance +([\d.]+): +(\d+)% read as asked for, variance ([\d.]+)", printed)
    shares, variances = ([float(row[i]) for row in rows] for i in (1, 2))
    assert shares[0] <= min(shares[1:])
    assert min(shares[1:]) >= 95
    assert variances[0] > max(variances[1:])


@pytest.mark.slow
def test_the_lab_obeys_adjectives_mixes_prompts_and_shows_what_guidance_does():
    printed = "".join(cell["text"] for cell in labs.record("draw_a_digit"))
    words = ("thick", "thin", "left-leaning", "narrow")
    table = {
        said: re.findall(r"(\d+)%", row) for said, row in re.findall(r"^([\w-]+) +((?:\d+% *){4})$", printed, re.M)
    }
    assert set(table) == {"nothing", *words}
    for i, word in enumerate(words):
        assert int(table[word][i]) >= 85 > 60 > int(table["nothing"][i])
    mixed = re.search(r"^read as((?: \d){7})$", printed, re.M)[1].split()
    assert (mixed[0], mixed[-1]) == ("3", "8")
    exact, *found = [(float(a), float(b)) for a, b in re.findall(r"height ([\d.]+), deviation ([\d.]+)", printed)]
    assert found[0] == pytest.approx(exact, abs=0.03)
    heights, deviations = zip(*found, strict=True)
    assert list(heights) == sorted(heights)
    assert list(deviations) == sorted(deviations, reverse=True)

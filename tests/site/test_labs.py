"""Labs: the cells of a file, what they print and draw, the page, and what one can take along."""

import base64
import io
import json
import re
import subprocess
import sys
import types

import numpy as np
import pytest
from PIL import Image

from sitebuild import ROOT, images, labs
from tests.site.build import environment
from tests.site.test_weight import weigh

NAMES = labs.names()
each_lab = pytest.mark.parametrize("name", NAMES)
KB = 1024
ALL = 200 * KB


# ---- the format --------------------------------------------------------------------------------------------------
def test_cells_by_hand():
    text = "# %% [markdown]\n# # Title\n#\n# Text with `#`.\n\n# %%\n# a comment\nx = 1\n\n\nprint(x)\n\n# %%\ny = 2\n"
    assert labs.cells(text) == [
        labs.Cell("markdown", "# Title\n\nText with `#`.", 2),
        labs.Cell("code", "# a comment\nx = 1\n\n\nprint(x)", 7),
        labs.Cell("code", "y = 2", 14),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [("import x\n# %%\n", "begins with a cell"), ("# %% [md]\n# x\n", "line 1"), ("# %%\n1\n\n# %% raw\n", "line 4")],
)
def test_what_is_no_lab_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        labs.cells(text)


@each_lab
def test_each_line_of_a_lab_is_in_one_cell(name):
    """What the cells hold is the file: nothing is lost, nothing is doubled, and each begins where it says."""
    text = labs.source(name)
    lines, held = text.splitlines(), []
    for cell in labs.cells(text):
        mark = "# " if cell.kind == "markdown" else ""
        made = [(mark + line).rstrip() for line in cell.text.split("\n")]
        assert lines[cell.line - 1] == made[0]
        held += made
    assert [line for line in held if line] == [line for line in lines if line and not line.startswith("# %%")]


# ---- running -----------------------------------------------------------------------------------------------------
@pytest.fixture
def lab(tmp_path):
    """lab("text") is what the cells of that text print and draw, in a fresh process."""
    script = "import json, pathlib, sys; from sitebuild import labs; labs.FOLDER = pathlib.Path(sys.argv[1]);"
    script += "print(json.dumps(labs.run('made')))"

    def run(text):
        (tmp_path / "made.py").write_text(text, encoding="utf-8")
        command = [sys.executable, "-c", script, tmp_path]
        done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    return run


def test_cells_share_their_names_and_print_under_themselves(lab):
    cells = lab("# %% [markdown]\n# # T\n\n# %%\nx = 2\nprint('a', x)\n\n# %%\nprint(x + 1)\n")
    assert [cell["text"] for cell in cells] == ["", "a 2\n", "3\n"]
    assert [cell["figures"] for cell in cells] == [[], [], []]


def test_a_figure_follows_light_and_dark_and_has_a_text(lab):
    text = "# %%\n# A line that rises\n# from 0 to 1.\nimport matplotlib.pyplot as plt\nplt.plot([0, 1])\nplt.show()\n"
    (cell,) = lab(text)
    (svg,) = cell["figures"]
    assert 'aria-label="A line that rises from 0 to 1."' in svg
    assert "var(--foundations)" in svg
    assert "var(--fg" in svg


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# %%\n\nprint(1 / 0)\n", 'made.py", line 3'),
        ("# %%\nimport matplotlib.pyplot as plt\nplt.plot([0, 1])\n", "begins with a comment that says what one sees"),
    ],
)
def test_a_cell_that_fails_or_draws_without_a_word_fails_the_build(lab, text, message):
    with pytest.raises(subprocess.CalledProcessError) as caught:
        lab(text)
    assert message in caught.value.stderr


def test_a_lab_is_run_again_when_what_it_imports_has_changed(tmp_path, monkeypatch):
    before = labs.fingerprint("digits")
    assert before == labs.fingerprint("digits")
    changed = tmp_path / "changed.py"
    changed.write_text("x = 1")
    real = labs.figures.dependencies
    assert any(path.name == "backpropagation.py" for path in real(labs.FOLDER / "digits.py"))
    monkeypatch.setattr(labs.figures, "dependencies", lambda path: {*real(path), changed})
    assert labs.fingerprint("digits") != before


# ---- pictures in an SVG ------------------------------------------------------------------------------------------
def embedded(svg):
    found = re.findall(r"data:image/png;base64,([\w+/=\s]+)", svg)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("RGBA")) for text in found]


def picture(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(file, format="png")
    return f'<image xlink:href="data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"/>'


@pytest.mark.parametrize("colours", [1, 2, 17, 256, 257])
def test_repacking_keeps_every_pixel(colours):
    rng = np.random.default_rng(0)
    palette = np.unique(rng.integers(0, 256, (4 * colours, 4), dtype=np.uint8), axis=0)[:colours]
    pixels = palette[rng.permutation(np.arange(30 * 40) % colours).reshape(30, 40)]
    svg = picture(pixels)
    packed = images.repack(svg)
    np.testing.assert_array_equal(embedded(packed)[0], pixels)
    assert len(packed) < len(svg) if colours <= 256 else packed == svg


# ---- the page ----------------------------------------------------------------------------------------------------
@pytest.mark.slow
@each_lab
def test_the_page_shows_code_prints_and_figures(site, name):
    html = (site / "labs" / name / "index.html").read_text(encoding="utf-8")
    record, cells = labs.record(name), labs.cells(labs.source(name))
    code = [cell for cell in cells if cell.kind == "code"]
    assert html.count("<pre") == len(code) + sum(bool(cell["text"]) for cell in record)
    assert html.count('<div class="output">') == sum(bool(cell["text"]) for cell in record)
    assert html.count('<figure class="drawing">') == sum(len(cell["figures"]) for cell in record)
    assert len(re.findall(r"<figure.*?<svg.*?</figure>", html, re.S)) == html.count("<figure")


def test_the_digit_network_learns_and_is_fooled():
    """What the lab's text says of its numbers, read from what the cells printed."""
    printed = "".join(cell["text"] for cell in labs.record("digits"))
    last = re.search(r"150 passes: ([\d.]+)% of what it trains on, ([\d.]+)%", printed)
    assert float(last[1]) > 99
    assert 95 <= float(last[2]) < float(last[1])
    attacked, shaken = ([int(n) for n in re.findall(r"(\d+)%", line)] for line in printed.splitlines()[-2:])
    assert attacked == sorted(attacked, reverse=True)
    assert attacked[-1] <= 25
    assert min(shaken) >= 94
    half, most = (int(n) for n in re.findall(r"highest output above 0\.[59]: (\d+)%", printed))
    assert 30 <= half <= 70
    assert 5 <= most <= 30


@pytest.mark.browser
@each_lab
def test_a_lab_keeps_to_its_budget(tab, site, name):
    sent, *_ = weigh(tab, site, f"labs/{name}/")
    total = sum(n for path, n in sent.items() if not path.endswith("search_index.json"))
    print(f"labs/{name}/: {total} bytes")
    assert total <= ALL


# ---- taking along ------------------------------------------------------------------------------------------------
@pytest.mark.slow
@each_lab
def test_the_notebook_holds_the_cells_and_the_links_of_the_site(site, name):
    book = json.loads((site / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))
    assert (book["nbformat"], book["nbformat_minor"]) == (4, 5)
    first, *rest = book["cells"]
    assert re.fullmatch(r'%pip install -q "kb @ http\S+\.whl" numpy matplotlib', "".join(first["source"]))
    cells = labs.cells(labs.source(name))
    assert [cell["cell_type"] for cell in rest] == [cell.kind for cell in cells]
    for made, cell in zip(rest, cells, strict=True):
        assert set(made) == {"cell_type", "id", "metadata", "source"} | (
            {"execution_count", "outputs"} if cell.kind == "code" else set()
        )
        if cell.kind == "code":
            assert "".join(made["source"]) == cell.text
    text = "".join("".join(cell["source"]) for cell in rest if cell["cell_type"] == "markdown")
    assert "[[" not in text
    for link in re.findall(r"\]\((http://127[^)]+)\)", text):
        assert (site / re.sub(r"^http://[^/]+/|#.*$", "", link) / "index.html").is_file(), link
    assert len({cell["id"] for cell in book["cells"]}) == len(book["cells"])


@pytest.mark.slow
@each_lab
def test_the_script_runs_by_itself_and_prints_what_the_page_shows(site, name, tmp_path):
    """As `python digits.py` does without a display; that `uv run` finds kb by the metadata is tested with a snippet."""
    script = site / "notebooks" / f"{name}.py"
    assert re.search(r'#   "kb @ http\S+\.whl",\n#   "numpy",\n#   "matplotlib",\n', script.read_text(encoding="utf-8"))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", script],
        cwd=tmp_path,
        env=environment(MPLBACKEND="agg", OMP_NUM_THREADS="1"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "".join(cell["text"] for cell in labs.record(name))


def test_links_become_addresses(monkeypatch):
    monkeypatch.setattr(labs, "load_map", lambda: {"neuron": types.SimpleNamespace()})
    monkeypatch.setattr(labs.links, "target", lambda concept: "../reference/glossary.md#neuron")
    assert (
        labs.absolute("a [[neuron|unit]] b", "https://x.org/") == "a [unit](https://x.org/reference/glossary/#neuron) b"
    )


@pytest.mark.slow
def test_the_transformer_is_taken_apart_and_taught_a_fact():
    """The shares sum to the model's own number; the new neuron speaks in snow, and nowhere else."""
    printed = "".join(cell["text"] for cell in labs.record("inside_a_transformer"))
    shares, model = re.search(r"sum of the shares ([-\d.]+), model ([-\d.]+)", printed).groups()
    assert float(shares) == pytest.approx(float(model), abs=2e-4)
    fetched, later, last = (int(n) for n in re.findall(r"attention \d sees no snow: (\d+)%", printed))
    assert fetched < 10 < 90 < min(later, last)
    tests = re.findall(r"^(On a (\w+) evening .*)\n +before +'(.+?)' .*\n +after +'(.+?)' ", printed, re.M)
    assert len(tests) == 5
    for text, weather, before, after in tests:
        assert (after == " kite") == (weather == "snowy" and text.endswith("The")), text
        assert after in (before, " kite")

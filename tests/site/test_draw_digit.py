"""Draw a digit: docs/assets/draw_digit.js computes what kb computes, and works by hand, by mouse and by key."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kb.checkpoints.safetensors import load_file
from kb.checkpoints.shipped import digits_mlp
from kb.data.digits import load_digits, resize, split
from kb.structure.multilayer_perceptron import mlp, predict
from sitebuild import ROOT, prepare
from tests.site.test_pages_in_chromium import listen, overflow, violations
from tests.site.waiting import until

NODE = Path(sys.executable).parent / "node"
PAGE = "structure/neural_network/"
PUBLISHED = ROOT / "docs" / "assets" / "digits_mlp.safetensors"
THREE = [
    [(0.3, 0.2), (0.5, 0.1), (0.68, 0.2), (0.65, 0.38), (0.48, 0.46), (0.7, 0.58), (0.7, 0.78), (0.5, 0.9), (0.3, 0.8)]
]


def node(script, given=None):
    """What `script`, in which `draw` is the module and `given` the argument, returns."""
    code = f"""
      import {{ readFileSync }} from "node:fs";
      import * as draw from "./docs/assets/draw_digit.js";
      const given = JSON.parse(readFileSync(0, "utf8"));
      console.log(JSON.stringify((() => {{ {script} }})()));
    """
    command = [NODE, "--input-type=module", "-e", code]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, cwd=ROOT, check=True)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def published():
    prepare.publish_digit_network()
    return load_file(PUBLISHED)


def circle(x, y, width, height, start, end):
    """The points of an arc, angles in degrees, as a stroke."""
    t = np.radians(np.linspace(start, end, 16))
    return np.stack([x + width * np.cos(t), y - height * np.sin(t)], axis=1).tolist()


DRAWN = {
    0: [circle(0.5, 0.5, 0.25, 0.4, 90, 450)],
    1: [[(0.35, 0.3), (0.52, 0.1), (0.52, 0.9)]],
    2: [[*circle(0.5, 0.3, 0.22, 0.2, 160, -30), (0.3, 0.9), (0.75, 0.9)]],
    3: THREE,
    4: [[(0.55, 0.1), (0.25, 0.6), (0.78, 0.6)], [(0.62, 0.4), (0.62, 0.9)]],
    5: [[(0.72, 0.1), (0.35, 0.1), (0.33, 0.45), *circle(0.48, 0.66, 0.24, 0.23, 120, -150)]],
    6: [[(0.6, 0.1), (0.35, 0.5), *circle(0.5, 0.7, 0.18, 0.2, 150, 510)]],
    7: [[(0.25, 0.12), (0.75, 0.12), (0.45, 0.9)], [(0.35, 0.5), (0.7, 0.5)]],
    8: [[*circle(0.5, 0.3, 0.18, 0.19, 270, -90), *circle(0.5, 0.7, 0.22, 0.2, 90, 450)]],
    9: [[*circle(0.5, 0.3, 0.2, 0.2, 0, 360), (0.66, 0.9)]],
}


# ---- what it computes --------------------------------------------------------------------------------------------
def test_the_published_file_holds_the_network_and_the_held_out_digits(published):
    held_out = split(load_digits())[1]
    np.testing.assert_array_equal(published["images"] / 16, held_out.images)
    np.testing.assert_array_equal(published["labels"], held_out.labels)
    for name, value in digits_mlp().items():
        np.testing.assert_array_equal(published[name], value)


def test_the_module_reads_the_file(published):
    script = """
      const bytes = readFileSync("docs/assets/digits_mlp.safetensors");
      const tensors = draw.tensors(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
      return Object.fromEntries(Object.entries(tensors).map(([name, data]) => [name, [...data]]));
    """
    read = node(script)
    assert set(read) == set(published)
    for name, value in published.items():
        np.testing.assert_array_equal(np.array(read[name]), value.ravel())


def test_forward_is_kbs(published):
    """On random images and random weights, in float64 on both sides: only the order of the sums differs."""
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 1, (20, 784))
    for scale in (0.05, 1.0):  # ordinary, and saturated
        params = {name: scale * rng.standard_normal(value.shape) for name, value in digits_mlp().items()}
        flat = {name: value.ravel().tolist() for name, value in params.items()}
        ours = node("return given.x.map((x) => draw.forward(given.params, x));", {"params": flat, "x": x.tolist()})
        np.testing.assert_allclose(ours, mlp(params, x), rtol=1e-11)


def test_an_image_is_counted_and_enlarged_as_the_training_images_were():
    rng = np.random.default_rng(1)
    dots = rng.integers(0, 2, (5, 32, 32))
    counts = dots.reshape(5, 8, 4, 8, 4).sum((2, 4)) / 16
    shrunk = node("return given.map(draw.shrink);", dots.reshape(5, 1024).tolist())
    np.testing.assert_array_equal(shrunk, counts.reshape(5, 64))
    enlarged = node("return given.map(draw.enlarge);", shrunk)
    np.testing.assert_allclose(enlarged, resize(counts, 28).reshape(5, 784), atol=1e-14)


@pytest.mark.parametrize("strokes", [*DRAWN.values(), [[(0.5, 0.5)]], [[(0.1, 0.5), (0.9, 0.5)]]])
def test_a_drawing_becomes_the_same_dots_wherever_and_however_large_it_is(strokes):
    def moved(scale, shift):
        return [[(scale * x + shift, scale * y - shift) for x, y in stroke] for stroke in strokes]

    here, there = node("return given.map(draw.dots);", [strokes, moved(0.5, 0.25)])
    assert set(here) == {0, 1}
    assert 312 <= sum(here) <= 330  # ties at the edge of the ink
    differ = np.array(here) != np.array(there)
    assert differ.sum() <= 18  # such ties, broken by rounding


def test_drawings_have_as_much_ink_as_the_training_images_and_stand_as_high():
    train = split(load_digits())[0].images
    drawn = np.array(node("return given.map((s) => draw.shrink(draw.dots(s)));", list(DRAWN.values()))).reshape(
        -1, 8, 8
    )
    assert drawn.mean() == pytest.approx(train.mean(), abs=0.01)
    assert (drawn[:, [0, -1]].max(-1) > 0).all()  # from the first row to the last, as all training images are
    assert (train[:, [0, -1]].max(-1) > 0).all()


def test_the_network_reads_drawn_digits():
    images = node("return given.map((s) => draw.enlarge(draw.shrink(draw.dots(s))));", list(DRAWN.values()))
    read = predict(digits_mlp(), np.array(images, dtype=np.float32))
    assert np.sum(read == list(DRAWN)) >= 9


# ---- in the page -------------------------------------------------------------------------------------------------
@pytest.fixture
def near(tab, address):
    """The page in a fresh context, scrolled to the explorable, which takes the place of the figure."""

    def open_page(**options):
        page = tab(address + PAGE, **options)
        page.locator("#draw-digit").scroll_into_view_if_needed()
        page.locator("#draw-digit canvas").first.wait_for()
        return page

    return open_page


def draw(page, strokes):
    """Each stroke with the mouse: down, along its points, up."""
    box = page.locator("#draw-digit canvas").first.bounding_box()
    for stroke in strokes:
        for i, (x, y) in enumerate(stroke):
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=4)
            if i == 0:
                page.mouse.down()
        page.mouse.up()


def said(page, pattern):
    """What the page says about the answer, when it matches."""
    until(page, "p => new RegExp(p).test(document.querySelector('#draw-digit output').textContent)", arg=pattern)
    return page.locator("#draw-digit output").text_content()


@pytest.mark.browser
def test_a_3_drawn_with_the_mouse_is_read_and_the_weights_come_only_then(near):
    asked = []
    page = near(watch=lambda p: p.on("request", lambda r: asked.append(r.url)))
    page.locator("#draw-digit canvas").first.scroll_into_view_if_needed()
    assert not [url for url in asked if "safetensors" in url]
    draw(page, THREE)
    assert said(page, "Your drawing").endswith("for 3.")
    assert len([url for url in asked if "safetensors" in url]) == 1
    bars = page.locator("#draw-digit .bar")
    assert bars.count() == 10
    numbers = [float(text.split()[1]) for text in bars.all_text_contents()]
    widths = page.locator("#draw-digit .bar i").evaluate_all("all => all.map((i) => parseFloat(i.style.width))")
    assert numbers == pytest.approx([w / 100 for w in widths], abs=0.0051)
    assert int(np.argmax(numbers)) == 3


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_works_with_the_keyboard_alone(near, scheme):
    page = near(color_scheme=scheme, watch=listen)
    page.locator("#draw-digit button", has_text="7").focus()
    page.keyboard.press("Enter")
    first = said(page, "A held-out 7")
    page.keyboard.press("Enter")
    until(page, "t => document.querySelector('#draw-digit output').textContent !== t", arg=first)
    page.locator("#draw-digit button", has_text="misread").focus()
    page.keyboard.press("Enter")
    label, answer = re.fullmatch(r"A held-out (\d): .* for (\d)\.", said(page, "A held-out 5")).groups()
    assert label != answer
    page.locator("#draw-digit button", has_text="Clear").focus()
    page.keyboard.press("Enter")
    said(page, "An empty image")
    assert violations(page) == []
    page.set_viewport_size({"width": 360, "height": 740})
    assert overflow(page) == ""
    assert violations(page, ["target-size"]) == []
    assert page.heard == []


@pytest.mark.browser
def test_without_javascript_the_figure_stands_there(tab, near, address):
    page = tab(address + PAGE, until="load", java_script_enabled=False)
    page.locator("#draw-digit").scroll_into_view_if_needed()
    assert page.locator("#draw-digit figure svg").is_visible()
    assert page.locator("#draw-digit canvas").count() == 0
    assert near().locator("#draw-digit figure").count() == 0

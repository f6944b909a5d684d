"""What pages say of themselves to programs: cards, schema.org, the link to the Markdown copy."""

import json
import re
import struct

import pytest

from sitebuild import cards, labs, macros, metadata, paths, texts
from sitebuild.concepts import load_map

LIVE = [c for c in load_map() if c.live]


def test_the_data_of_a_page_names_what_has_to_be_known():
    concept = next(c for c in LIVE if len(c.needs) > 1)
    data = json.loads(re.search(r'<script type="application/ld\+json">(.*)</script>', metadata.head(concept))[1])
    assert data["@type"] == "LearningResource"
    assert data["url"] == f"{macros.site_url()}{concept.arc}/{concept.slug}/"
    assert [term["name"] for term in data["competencyRequired"]] == [load_map()[need].title for need in concept.needs]
    assert re.fullmatch(r"PT\d+M", data["timeRequired"])


def of(name):
    found = re.findall(
        r'<script type="application/ld\+json">(.*)</script>', metadata.head_of_another(texts.DOCS / name)
    )
    return json.loads(found[0]) if found else None


def test_a_lab_says_what_to_read_before_and_a_path_what_it_passes():
    lab, path = of("labs/digits.md"), of("paths/from_neuron_to_gpt.md")
    assert lab["@type"] == path["@type"] == "LearningResource"
    assert lab["timeRequired"] == f"PT{labs.minutes('digits')}M"
    assert "The cost function" in [term["name"] for term in lab["competencyRequired"]]
    stops = paths.stops("from_neuron_to_gpt")
    assert [part["name"] for part in path["hasPart"]] == [stop.title for stop in stops]
    assert path["timeRequired"] == f"PT{sum(stop.minutes for stop in stops)}M"
    assert path["url"] == f"{macros.site_url()}paths/from_neuron_to_gpt/"
    assert (
        of("paths/interview_check.md") is of("reference/notation.md") is of("labs/index.md") is of("index.md") is None
    )


def test_tags_are_escaped():
    tags = metadata.open_graph('a "b" <c>', "d & e", "https://example.org/", "x")
    assert 'content="a &quot;b&quot; &lt;c&gt;"' in tags
    assert "d &amp; e" in tags


def test_insert_is_once(tmp_path):
    path = tmp_path / "index.html"
    path.write_text("<head><title>x</title></head>")
    metadata.insert(path, "<meta a>")
    metadata.insert(path, "<meta b>")
    assert path.read_text() == "<head><title>x</title><!--about--><meta b><!--/about--></head>"


@pytest.mark.slow
def test_a_card_has_its_size_and_is_the_same_each_time():
    the_map = load_map()
    png = cards.card(the_map, LIVE[0])
    assert struct.unpack(">II", png[16:24]) == (1200, 630)
    assert cards.card(the_map, LIVE[0]) == png != cards.card(the_map)
    assert len({cards.fingerprint(the_map, c) for c in [None, *LIVE]}) == len(LIVE) + 1


def test_the_words_of_every_card_fit():
    """Title and meaning end above the name of the site, for planned pages too."""
    from matplotlib.figure import Figure

    for concept in load_map():
        ax = Figure(figsize=(12, 6.3)).add_subplot()
        cards.words(ax, concept, "black")
        *_, last, site = ax.texts
        assert last.get_position()[1] < site.get_position()[1] - 40, concept.slug


@pytest.mark.slow
@pytest.mark.parametrize("concept", LIVE, ids=lambda c: c.slug)
def test_the_page_carries_them(site, concept):
    html = (site / concept.path.removesuffix(".md") / "index.html").read_text(encoding="utf-8")
    assert html.count('property="og:image"') == html.count("application/ld+json") == 1
    assert f"{macros.site_url()}{concept.path.removesuffix('.md')}/index.md" in html
    card = re.search(r'og:image" content="[^"]*/(assets/cards/[\w]+\.png)"', html)[1]
    assert (site / card).stat().st_size < 120_000


@pytest.mark.slow
@pytest.mark.parametrize("path", texts.pages(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_page_has_a_card_with_its_own_words_and_its_address(site, path):
    place = path.relative_to(texts.DOCS).with_suffix("")
    html = (site / (place.parent if path.stem == "index" else place) / "index.html").read_text(encoding="utf-8")
    canonical = re.search(r'<link rel="canonical" href="([^"]*)"', html)[1]
    said = dict(re.findall(r'<meta property="og:(\w+)" content="([^"]*)"', html))
    assert said["url"] == canonical == metadata.address(path)
    assert said["title"]
    assert said["description"]
    assert (site / said["image"].removeprefix(macros.site_url())).is_file()
    assert html.count("og:title") == 1

"""What a page says of itself to programs: a card for links to it (Open Graph), and schema.org's LearningResource."""

import json
import re
from html import escape

from sitebuild import labs, macros, paths
from sitebuild.concepts import front_matter, load_map
from sitebuild.texts import DOCS, page_address, pages, site_facts

LICENCE = "https://creativecommons.org/licenses/by/4.0/"


def learning_resource(concept):
    """The concept as schema.org knows it: what it teaches, how long it takes, what has to be known before."""
    needs = [load_map()[slug] for slug in concept.needs]
    return {
        **_resource(concept.title, concept.summary, page_address(concept.path), concept.minutes),
        "teaches": list(concept.terms),
        "competencyRequired": [_defined_term(need) for need in needs],
    }


def lab(path):
    """A lab: what one should have read before."""
    about = front_matter(path)
    return {
        **_resource(about["title"], about["summary"], address(path), labs.minutes(path.stem)),
        "learningResourceType": "notebook",
        "competencyRequired": [_defined_term(concept) for concept in labs.concepts(path.stem)],
    }


def walk(path):
    """A path: its stops, in their order."""
    about, stops = front_matter(path), paths.stops(path.stem)
    return {
        **_resource(about["title"], about["summary"], address(path), sum(stop.minutes for stop in stops)),
        "learningResourceType": "learning path",
        "hasPart": [_defined_term(stop) for stop in stops],
    }


def _resource(name, about, url, minutes):
    return {
        "@context": "https://schema.org",
        "@type": "LearningResource",
        "name": name,
        "description": about,
        "url": url,
        "inLanguage": "en",
        "isAccessibleForFree": True,
        "license": LICENCE,
        "timeRequired": f"PT{minutes}M",
        # not a <link rel="alternate">: Material takes that for another language and asks for its sitemap
        "encoding": {"@type": "MediaObject", "encodingFormat": "text/markdown", "contentUrl": f"{url}index.md"},
        "isPartOf": {"@type": "WebSite", "name": site_facts()[0], "url": macros.site_url()},
    }


def _defined_term(concept):
    term = {"@type": "DefinedTerm", "name": concept.title, "description": concept.summary}
    return {**term, "url": page_address(concept.path)} if concept.live else term


def open_graph(title, about, url, card):
    """The tags that other sites read for the preview of a link."""
    properties = {
        "og:type": "article",
        "og:site_name": site_facts()[0],
        "og:title": title,
        "og:description": about,
        "og:url": url,
        "og:image": f"{macros.site_url()}assets/cards/{card}.png",
        "og:image:width": "1200",
        "og:image:height": "630",
        "og:image:alt": f"{title}: {about}",
    }
    tags = [f'<meta property="{name}" content="{escape(value, quote=True)}">' for name, value in properties.items()]
    return "".join([*tags, '<meta name="twitter:card" content="summary_large_image">'])


def head(concept):
    """All that goes into the head of a concept's page."""
    tags = open_graph(concept.title, concept.summary, page_address(concept.path), concept.slug)
    return tags + script(learning_resource(concept))


def script(data):
    """The data as a script; `<` cannot end it early, for JSON may write it as \\u003c."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return f'<script type="application/ld+json">{text}</script>'


def head_of_another(path):
    """All that goes into the head of a page that is no concept's: the card of the site with the page's own words."""
    about, (name, says) = front_matter(path), site_facts()
    if path == DOCS / "index.md":
        return open_graph(name, says, macros.site_url(), "home")
    tags = open_graph(about["title"], about.get("summary", says), address(path), "home")
    if path.parent.name == "labs" and path.stem in labs.names():
        return tags + script(lab(path))
    return tags + script(walk(path)) if "stops" in about else tags


def address(path):
    return page_address(path.relative_to(DOCS).as_posix())


def write(site):
    """Into every page."""
    concepts = {DOCS / concept.path: concept for concept in load_map()}
    for path in pages():
        made = head(concepts[path]) if path in concepts else head_of_another(path)
        folder = site / path.relative_to(DOCS).with_suffix("")
        insert((folder.parent if path.stem == "index" else folder) / "index.html", made)


def insert(path, tags):
    """The tags at the end of the head, once."""
    html = path.read_text(encoding="utf-8")
    html = re.sub(r"<!--about-->.*?<!--/about-->", "", html, flags=re.S)
    path.write_text(html.replace("</head>", f"<!--about-->{tags}<!--/about--></head>", 1), encoding="utf-8")

"""What a page says of itself to programs: a card for links to it (Open Graph), and schema.org's LearningResource."""

import json
import re
from html import escape

from sitebuild import macros
from sitebuild.concepts import load_map
from sitebuild.texts import page_address, site_facts

LICENCE = "https://creativecommons.org/licenses/by/4.0/"


def learning_resource(concept):
    """The concept as schema.org knows it: what it teaches, how long it takes, what has to be known before."""
    needs = [load_map()[slug] for slug in concept.needs]
    return {
        "@context": "https://schema.org",
        "@type": "LearningResource",
        "name": concept.title,
        "description": concept.summary,
        "url": page_address(concept.path),
        "inLanguage": "en",
        "isAccessibleForFree": True,
        "license": LICENCE,
        "timeRequired": f"PT{concept.minutes}M",
        "teaches": list(concept.terms),
        "competencyRequired": [_defined_term(need) for need in needs],
        # not a <link rel="alternate">: Material takes that for another language and asks for its sitemap
        "encoding": {
            "@type": "MediaObject",
            "encodingFormat": "text/markdown",
            "contentUrl": f"{page_address(concept.path)}index.md",
        },
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
    # `<` cannot end the script early: JSON may write it as \\u003c
    data = json.dumps(learning_resource(concept), ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    tags = open_graph(concept.title, concept.summary, page_address(concept.path), concept.slug)
    return f'{tags}<script type="application/ld+json">{data}</script>'


def write(site):
    """Into every concept page, and the home page."""
    for concept in load_map():
        if concept.live:
            insert(site / concept.path.removesuffix(".md") / "index.html", head(concept))
    name, about = site_facts()
    insert(site / "index.html", open_graph(name, about, macros.site_url(), "home"))


def insert(path, tags):
    """The tags at the end of the head, once."""
    html = path.read_text(encoding="utf-8")
    html = re.sub(r"<!--about-->.*?<!--/about-->", "", html, flags=re.S)
    path.write_text(html.replace("</head>", f"<!--about-->{tags}<!--/about--></head>", 1), encoding="utf-8")

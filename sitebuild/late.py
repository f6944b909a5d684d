"""HTML that goes into a page last, after every other extension: figures and the map.

Python-Markdown's own stash loses what a preprocessor puts there inside `md_in_html` blocks, and an SVG should meet no
other extension anyway.
"""

import re

from markdown.postprocessors import Postprocessor

from sitebuild import figures, labs
from sitebuild.concepts import load_map
from sitebuild.map_svg import map_html

_PLACE = re.compile(r'<div class="plate" data-late="(\w+)" data-name="([\w.]*)"></div>')
MAKERS = {"figure": figures.svg, "lab": labs.svg, "map": lambda _: map_html(load_map())}


def placeholder(kind, name=""):
    """What stands in the Markdown until the HTML goes in."""
    return f'<div class="plate" data-late="{kind}" data-name="{name}"></div>'


class Late(Postprocessor):
    """Puts each piece in its place."""

    def run(self, text):
        return _PLACE.sub(lambda match: MAKERS[match[1]](match[2]), text)

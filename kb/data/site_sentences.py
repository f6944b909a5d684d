"""A few hundred sentences of this site, to search in: summaries, definitions, questions and answers of its pages.

A snapshot that `python -m training.sentences` took of the pages.
"""

import json
import re
from pathlib import Path

PATH = Path(__file__).with_name("site_sentences.json")


def load_sentences(*kinds):
    """[(page, text)] of the kinds asked for: summary, definition, question, answer; of all if none is named."""
    rows = json.loads(PATH.read_text(encoding="utf-8"))
    return [(page, text) for page, kind, text in rows if not kinds or kind in kinds]


def words(text):
    """The words of a text in small letters, without digits and signs."""
    return re.findall(r"[^\W\d_]+", text.lower())

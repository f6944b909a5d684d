"""The sentences of this site on which semantic search is shown: `python -m training.sentences` writes them again.

From the pages as they stand: the summary of every concept, and of each finished page the definition, the questions and
their answers. The file is a snapshot; it need not follow each change of the pages.
"""

import html
import json
import re

from kb.data.site_sentences import PATH
from sitebuild import ROOT
from sitebuild.concepts import load_map

TEMPLATE = "One sentence that says what it is."  # a page that nobody has written yet
_QUESTION = re.compile(r'^\*\*\d\.\*\* (.*)\n\n\?\?\? answer "Answer"\n    (.*)', re.M)


def collect():
    """[[page, kind, text]], in the order of the map; kind is summary, definition, question or answer."""
    rows = []
    for c in load_map():
        rows.append([c.slug, "summary", c.summary])
        if c.live:
            body = (ROOT / "docs" / c.path).read_text(encoding="utf-8").split("\n---\n", 1)[1]
            if TEMPLATE in body:
                continue
            rows.append([c.slug, "definition", plain([line for line in body.split("\n") if line.strip()][2])])
            for question, answer in _QUESTION.findall(body.partition("## Check yourself")[2]):
                rows += [[c.slug, "question", plain(question)], [c.slug, "answer", plain(answer)]]
    return rows


def plain(markdown):
    """The words alone: no mathematics, attributes, links or marks."""
    text = re.sub(r"\{ \.[^}]*\}|\$[^$]*\$|\[@\w+\]", " ", html.unescape(markdown))
    text = re.sub(r"\[\[\w+\|([^\]]*)\]\]|\[\[(\w+)\]\]", lambda m: m[1] or m[2].replace("_", " "), text)
    text = re.sub(r"[*`]", "", re.sub(r"\]\([^)]*\)", "]", text))
    return re.sub(r"\s+", " ", text).strip()


if __name__ == "__main__":
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in collect())
    PATH.write_text(f"[\n{lines}\n]\n", encoding="utf-8")

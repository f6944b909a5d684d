"""Each object of the reference leads to its concept page, its torch twin and its source: a griffe extension."""

import griffe

from sitebuild import ROOT
from sitebuild.concepts import ARCS, load_map


class Links(griffe.Extension):
    """Appends one line of links to the docstring of every public function and class of kb."""

    def on_function(self, *, func, **kwargs):
        self.link(func)

    def on_class(self, *, cls, **kwargs):
        self.link(cls)

    def link(self, obj):
        if obj.docstring is None or obj.name.startswith("_") or not isinstance(obj.parent, griffe.Module):
            return
        obj.docstring.value += f"\n\n{' · '.join(links(obj.parent.path, obj.name, obj.lineno))}\n{{ .api-links }}\n"


def links(module, name, line):
    """Markdown links of one object; the pages of the reference are docs/api/<arc>.md."""
    parts, found = module.split("."), []
    twin, numpy = twin_of(module), module.replace("kb.torch.", "kb.", 1)
    arc, slug = numpy.split(".")[1], numpy.split(".")[-1]
    if arc in ARCS and slug in load_map().concepts:
        concept = load_map()[slug]
        page = f"../{concept.path}" if concept.live else f"../reference/glossary.md#{slug}"
        found.append(f"[Concept: {concept.title}]({page})")
    if parts[1] == "torch" and defines(numpy, name):
        found.append(f"[NumPy twin]({arc}.md#{numpy}.{name})")
    elif parts[1] != "torch" and defines(twin, name):
        found.append(f"[torch twin](torch-{arc}.md#{twin}.{name})")
    found.append(f"[source](../source/{module.replace('.', '/')}.py), line {line}")
    return found


def twin_of(module):
    return module.replace("kb.", "kb.torch.", 1)


def defines(module, name):
    path = ROOT / (module.replace(".", "/") + ".py")
    return path.exists() and f"def {name}(" in path.read_text(encoding="utf-8")

"""@title@: @summary@

Source: authors year, "title", equation, https://…
"""

from kb.shapes import checked


@checked
def @slug@(x):
    """One sentence that says what it means.

    x (...) -> (...)

    Units and ranges. What it refuses.
    """
    raise NotImplementedError("write kb.@arc@.@slug@")

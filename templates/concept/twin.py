"""Torch twin of `kb.@arc@.@slug@`: the same names and arguments; runs where its tensors live."""

from kb.shapes import checked


@checked
def @slug@(x):
    """One sentence that says what it means.

    x (...) -> (...)
    """
    raise NotImplementedError("write kb.torch.@arc@.@slug@")

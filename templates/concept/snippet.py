"""One sentence: what the reader sees when this runs."""

import numpy as np

from kb.@arc@.@slug@ import @slug@

print(@slug@(np.array([1.0, 2.0, 3.0])))

"""One sentence: what the reader sees when this runs."""

import numpy as np

from kb.architecture.large_language_model import large_language_model

print(large_language_model(np.array([1.0, 2.0, 3.0])))

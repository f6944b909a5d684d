"""One sentence: what the reader sees when this runs."""

import numpy as np

from kb.architecture.pretraining import pretraining

print(pretraining(np.array([1.0, 2.0, 3.0])))

"""What happens without the part that matters."""

import numpy as np

from kb.architecture.large_language_model import large_language_model

x = np.array([1.0, 2.0, 3.0])
print(large_language_model(x), x)

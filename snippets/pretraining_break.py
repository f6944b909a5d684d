"""What happens without the part that matters."""

import numpy as np

from kb.architecture.pretraining import pretraining

x = np.array([1.0, 2.0, 3.0])
print(pretraining(x), x)

"""One sentence: what the reader sees when this runs."""

import numpy as np

from kb.generation.unet import unet

print(unet(np.array([1.0, 2.0, 3.0])))

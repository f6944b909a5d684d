"""What happens without the part that matters."""

import numpy as np

from kb.@arc@.@slug@ import @slug@

x = np.array([1.0, 2.0, 3.0])
print(@slug@(x), x)

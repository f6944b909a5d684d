"""Numbers instead of one-hot vectors: the fit can only follow the order of the list, and the list has no order."""

import numpy as np

from kb.architecture.one_hot_encoding import one_hot

animals, households = ["cat", "dog", "fish", "owl"], np.array([30.0, 45.0, 10.0, 5.0])

for order in ([0, 1, 2, 3], [2, 0, 1, 3]):
    names, y = [animals[i] for i in order], households[order]
    numbers = np.stack([np.arange(4.0), np.ones(4)], axis=1)  # slope and intercept
    for what, inputs in (("numbers", numbers), ("one-hot", one_hot(np.arange(4), dtype=np.float64))):
        fit = inputs @ np.linalg.lstsq(inputs, y, rcond=None)[0]
        print(f"{what}: {dict(zip(names, fit.round(1).tolist(), strict=True))}  error {np.sum((fit - y) ** 2):.1f}")
        #> numbers: {'cat': 39.0, 'dog': 28.0, 'fish': 17.0, 'owl': 6.0}  error 420.0
        #> one-hot: {'cat': 30.0, 'dog': 45.0, 'fish': 10.0, 'owl': 5.0}  error 0.0
        #> numbers: {'fish': 22.5, 'cat': 22.5, 'dog': 22.5, 'owl': 22.5}  error 1025.0
        #> one-hot: {'fish': 10.0, 'cat': 30.0, 'dog': 45.0, 'owl': 5.0}  error 0.0

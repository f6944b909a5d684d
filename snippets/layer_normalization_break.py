"""A constant vector, without eps, and with a mean that was rounded."""

import numpy as np

from kb.architecture.layer_normalization import layer_norm


def textbook(x, eps):
    centred = x - x.mean()
    with np.errstate(invalid="ignore"):  # NumPy would warn: 0 / 0
        return centred / np.sqrt((centred * centred).mean() + eps)


# Four equal numbers: the variance is 0.
print(textbook(np.full(4, 5.0), eps=0), textbook(np.full(4, 5.0), eps=1e-5))
#> [nan nan nan nan] [0. 0. 0. 0.]

# 768 equal numbers in float32: their rounded mean is another number, and the little rest is blown up.
for value in (1.1, 1001.1, 100_001.1):
    x = np.full(768, value, np.float32)
    print(f"{value:8.1f}  rest {x[0] - x.mean():9.1e}  textbook {textbook(x, 1e-5)[0]:6.3f}  kb {layer_norm(x)[0]:.3f}")
    #>      1.1  rest  -1.2e-07  textbook -0.000  kb 0.000
    #>   1001.1  rest   6.1e-05  textbook  0.019  kb 0.000
    #> 100001.1  rest  -1.6e-02  textbook -0.980  kb 0.000

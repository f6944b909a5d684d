"""784-16-16-10: its parameters, its start, its scores, and its confidence."""

import numpy as np

from kb.checkpoints.shipped import digits_mlp
from kb.data.digits import load_digits, split
from kb.structure.multilayer_perceptron import (
    biases_per_layer,
    count_parameters,
    expected_calibration_error,
    init_mlp,
    mlp,
    reliability_diagram,
    weights_per_layer,
)

sizes = (784, 16, 16, 10)
print(weights_per_layer(*sizes), biases_per_layer(*sizes))
#> [12544, 256, 160] [16, 16, 10]
print(count_parameters(*sizes))
#> 13002

# A start: normal noise, as wide as the scheme says.
for scheme in ("xavier", "he", "normal"):
    start = init_mlp(sizes, np.random.default_rng(0), scheme)
    widths = [start[f"{layer}.weight"].std() for layer in (0, 2, 4)]
    print(f"{scheme:6}", np.round(widths, 3))
    #> xavier [0.05  0.235 0.294]
    #> he     [0.05  0.332 0.374]
    #> normal [0.997 0.94  1.058]

# The trained network on 360 digits that it has not seen.
held_out = split(load_digits(28))[1]
scores = mlp(digits_mlp(), held_out.images.reshape(-1, 784))
right = scores.argmax(axis=1) == held_out.labels
sums = scores.sum(axis=1)
print(f"{right.mean():.1%} right; sums from {sums.min():.2f} to {sums.max():.2f}")
#> 96.1% right; sums from 0.48 to 1.45

# argmax throws away how sure the network is. The sure answers are mostly right:
confidence = scores.max(axis=1)
for some in (confidence > 0.9, confidence <= 0.9):
    print(some.sum(), "answers,", f"{right[some].mean():.1%} right")
    #> 320 answers, 99.4% right
    #> 40 answers, 70.0% right
mean, accuracy, count = reliability_diagram(confidence, right, bins=5)
for row in (mean, accuracy, count):
    print(row.astype(float).round(2).tolist())
    #> [0.0, 0.32, 0.54, 0.71, 0.97]
    #> [0.0, 0.2, 0.5, 0.83, 0.99]
    #> [0.0, 5.0, 6.0, 12.0, 337.0]
ece = expected_calibration_error(confidence, right)
print(f"calibration error {ece:.1%}")
#> calibration error 2.5%

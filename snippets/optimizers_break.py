"""Adam without its bias correction: both averages start at 0, and the first steps are too long."""

import numpy as np

from kb.learning.optimizers import adam_direction, running_mean

mean, square = np.zeros(1), np.zeros(1)
for t in range(1, 2001):
    grad = np.array([0.3])  # the same every time: each step should have length 1, in learning rates
    mean, square = running_mean(mean, grad, 0.9), running_mean(square, grad * grad, 0.999)
    if t in (1, 2, 5, 10, 100, 2000):
        print(t, adam_direction(mean, square, t).round(2), "without the correction", (mean / np.sqrt(square)).round(2))
        #> 1 [1.] without the correction [3.16]
        #> 2 [1.] without the correction [4.25]
        #> 5 [1.] without the correction [5.8]
        #> 10 [1.] without the correction [6.53]
        #> 100 [1.] without the correction [3.24]
        #> 2000 [1.] without the correction [1.08]

"""The same walk with a learning rate a little below 2 / lambda_max, exactly there, and a little above."""

import numpy as np

from kb.learning.gradient_descent import descend, largest_stable_lr, quadratic, quadratic_gradient

bowl = np.diag([8.0, 1.0])
limit = largest_stable_lr(bowl)
for lr in (0.9 * limit, limit, 1.1 * limit):
    path = descend(lambda x: quadratic_gradient(x, bowl), np.array([1.0, 1.0]), lr, 20)
    print(f"{lr:.3f}", quadratic(path, bowl)[[0, 1, 2, 10, 20]].round(3).tolist())
    #> 0.225 [4.5, 2.86, 1.819, 0.049, 0.001]
    #> 0.250 [4.5, 4.281, 4.158, 4.002, 4.0]
    #> 0.275 [4.5, 6.023, 8.433, 153.351, 5879.086]

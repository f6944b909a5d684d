"""Four workers, a quarter of the batch each: their averaged gradient, and how a ring adds it up."""

import numpy as np

from kb.architecture.data_parallel_training import (
    parallel_gradients,
    ring_all_reduce,
    ring_traffic,
    server_traffic,
)
from kb.checkpoints.shipped import digits_mlp
from kb.data.digits import load_digits
from kb.learning.backpropagation import squared_error_gradients

digits, params = load_digits(28), digits_mlp()
x, y = digits.images[:32].reshape(32, -1), np.eye(10, dtype="float32")[digits.labels[:32]]

cost, whole = squared_error_gradients(params, x, y)
cost_of_four, averaged = parallel_gradients(squared_error_gradients, params, x, y, workers=4)
print(f"cost {cost:.6f} and {cost_of_four:.6f}")
#> cost 0.065994 and 0.065994
print(all(np.allclose(averaged[name], grad, atol=1e-7) for name, grad in whole.items()))
#> True

# Each worker holds four numbers. After six rounds everybody has the sums, and has sent six numbers.
x = np.array([[1, 2, 3, 4], [10, 20, 30, 40], [100, 200, 300, 400], [1000, 2000, 3000, 4000]], dtype=float)
sums, sent = ring_all_reduce(x)
print(sums[0], sums[3], sent)
#> [1111. 2222. 3333. 4444.] [1111. 2222. 3333. 4444.] [6 6 6 6]

# GPT-2 small has 124,439,808 parameters; its gradient in float32, over eight workers, in MB
for name, numbers in (("ring", ring_traffic(124_439_808, 8)), ("server", server_traffic(124_439_808, 8))):
    print(f"{name}: {numbers * 4 / 1e6:,.0f} MB")
    #> ring: 871 MB
    #> server: 6,969 MB

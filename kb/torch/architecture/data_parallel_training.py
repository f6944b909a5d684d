"""Torch twin of `kb.architecture.data_parallel_training`: the same names and arguments; runs where its tensors live.

Here the workers are simulated in one process, to show the arithmetic. Real ones are processes: `kb.torch.train` runs
under torchrun with DistributedDataParallel.
"""

import torch

from kb.shapes import checked

WITHOUT_A_TWIN = {
    "shards": "slices are the same for torch",
    "ring_round": "a step inside ring_all_reduce, which in torch is one call of torch.distributed.all_reduce",
    "ring_traffic": "a number",
    "server_traffic": "a number",
    "pipeline_schedule": "a timetable",
    "bubble": "a number",
    "bytes_per_device": "a number",
}


@checked
def parallel_gradients(gradients, params, x, y, workers):
    """A batch's cost and gradient, computed in parts by workers with the same weights and then averaged.

    params {}, x (b, n), y (b, ...) -> (), {}
    """
    _at_least_one_each(len(x), workers)
    parts = zip(x.tensor_split(workers), y.tensor_split(workers), strict=True)
    total: dict = {}
    cost = x.new_zeros(())
    for x_part, y_part in parts:
        value, grads = gradients(params, x_part, y_part)
        share = len(x_part) / len(x)
        cost = cost + share * value
        total = {name: total.get(name, 0) + share * grad for name, grad in grads.items()}
    return cost, total


@checked
def ring_all_reduce(x):
    """Every worker learns the sum of all rows; and how much each one sent, if they stand in a ring.

    x (w, d) -> (w, d), (w)

    Between processes this is torch.distributed.all_reduce(x), which chooses the way itself.
    """
    w, d = x.shape
    size = [d * (k + 1) // w - d * k // w for k in range(w)]
    sent = [2 * d - size[(i + 1) % w] - size[(i + 2) % w] for i in range(w)]
    return x.sum(0).expand(w, d), torch.tensor(sent) * (w > 1)


@checked
def tensor_parallel_mlp(x, w_up, w_down, activation, workers):
    """An MLP block in which each worker holds some of the hidden neurons: their results are added.

    x (..., n), w_up (m, n), w_down (d, m) -> (..., d)

    torch.distributed.tensor.parallel does this between processes: ColwiseParallel for w_up, RowwiseParallel for w_down.
    """
    _at_least_one_each(len(w_up), workers)
    pairs = zip(w_up.tensor_split(workers), w_down.tensor_split(workers, dim=1), strict=True)
    return sum(activation(x @ up.T) @ down.T for up, down in pairs)


def _at_least_one_each(n, workers):
    if not 1 <= workers <= n:
        raise ValueError(f"shards: workers is {workers}, expected 1 up to the {n} examples")

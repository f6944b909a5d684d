"""Two cores are shared by two test processes: one thread each, set before NumPy starts. GPU tests need a GPU."""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import pytest  # noqa: E402


def pytest_collection_modifyitems(config, items):
    gpu_items = [item for item in items if item.get_closest_marker("gpu")]
    if gpu_items and not cuda():
        for item in gpu_items:
            item.add_marker(pytest.mark.skip(reason="no CUDA device: the same cases ran on the CPU"))


def cuda():
    import torch

    return torch.cuda.is_available()

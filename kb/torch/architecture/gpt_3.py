"""Torch twin of `kb.architecture.gpt_3`, which only counts: there is nothing for torch to compute.

The model itself, with the sizes of GPT3 and no memory, is `kb.torch.architecture.transformer.GPT2(GPT3)` made under
`torch.device("meta")`: its tensors have shapes and no numbers.
"""

WITHOUT_A_TWIN = {
    "weight_matrices": "counts; there is no array in it",
    "left_out": "counts; there is no array in it",
    "flops_per_token": "counts; there is no array in it",
    "training_flops": "counts; there is no array in it",
    "weight_bytes": "counts; there is no array in it",
}

"""@title@: what proves kb.@arc@.@slug@."""

from kb.@arc@ import @slug@ as kb
from kb.torch.@arc@ import @slug@ as kt
from tests.contract import Case, contract, gpu_contract

CASES = [Case(kb.@slug@, x=(2, 3))]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


# ---- invariants --------------------------------------------------------------------------------------------------
# ---- a hand-computed example -------------------------------------------------------------------------------------
# ---- error messages ----------------------------------------------------------------------------------------------
# ---- mutation: without the part that matters it breaks -----------------------------------------------------------

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import kb.architecture.token_embedding as kb
import kb.torch.architecture.token_embedding as kt
from figures.courtyard_vectors import courtyard, parallel, share_right
from kb.architecture.one_hot_encoding import one_hot_product
from kb.autograd.tensor import Tensor
from tests.contract import Case, contract, gpu_contract

IDS = np.array([[2, 0], [3, 2]])
TABLE = np.diag([9.0, 5, 3, 1]) + 0.1 * np.arange(16.0).reshape(4, 4)  # singular values well apart
COUNTS = np.array([[4.0, 0, 1], [0, 0, 2], [1, 2, 6]])
CASES = [
    Case(kb.embedding, indices=IDS, weight=(4, 3)),
    Case(kb.embedding, indices=np.array(1), weight=(4, 3)),
    Case(kb.cooccurrences, ids=np.array([0, 1, 2, 1, 1]), vocab_size=4, window=2),
    Case(kb.cooccurrences, ids=np.array([2]), vocab_size=3),
    Case(kb.ppmi, counts=COUNTS, differentiable=False),
    Case(kb.ppmi, counts=COUNTS[:2], smoothing=1.0, differentiable=False),
    Case(kb.principal_vectors, table=TABLE, width=3, differentiable=False),
    Case(kb.principal_vectors, table=TABLE[:, :3], width=1, differentiable=False),
    Case(kb.analogy, vectors=(7, 4), a=0, b=1, c=2, k=3, differentiable=False),
    Case(kb.analogy, vectors=(7, 4), a=0, b=1, c=2, leave_out=False, differentiable=False),
    Case(kb.importance, counts=COUNTS, differentiable=False),
    Case(kb.text_vectors, counts=(3, 5), weight=(5,), vectors=(5, 4)),
    Case(kb.text_vectors, counts=(5,), weight=(5,), vectors=(5, 4)),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


# ---- the table ---------------------------------------------------------------------------------------------------
def test_a_lookup_is_the_one_hot_product_in_value_and_gradient():
    weight, wish = (np.random.default_rng(i).standard_normal(shape) for i, shape in enumerate([(4, 3), (2, 2, 3)]))
    gradients = []
    for select in (kb.embedding, one_hot_product):
        leaf = Tensor(weight)
        out = select(IDS, leaf)
        np.testing.assert_array_equal(out.data, weight[IDS])
        out.backward(wish)
        gradients.append(leaf.grad)
    np.testing.assert_allclose(*gradients, rtol=1e-15)
    np.testing.assert_allclose(gradients[0][2], wish[0, 0] + wish[1, 1], rtol=1e-15, err_msg="token 2 occurs twice")
    assert not gradients[0][1].any(), "token 1 does not occur"


@pytest.mark.parametrize(("ids", "wrong"), [([0, 4], 4), ([-1], -1)])
def test_a_token_outside_the_table_is_refused(ids, wrong):
    with pytest.raises(ValueError, match=f"embedding: indices has {wrong}, expected 0 to 3"):
        kb.embedding(np.array(ids), np.ones((4, 2)))
    with pytest.raises(IndexError):
        kt.embedding(torch.tensor(ids), torch.ones(4, 2))


def test_numbers_that_are_not_whole_are_refused():
    with pytest.raises(ValueError, match="embedding: indices holds float64"):
        kb.embedding(np.array([1.0]), np.ones((4, 2)))


# ---- counts ------------------------------------------------------------------------------------------------------
@settings(max_examples=60)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=12), st.integers(1, 14))
def test_cooccurrences_are_a_loop(ids, window):
    expected = np.zeros((5, 5))
    for i, word in enumerate(ids):
        for j, other in enumerate(ids):
            expected[word, other] += 0 < abs(i - j) <= window
    np.testing.assert_array_equal(kb.cooccurrences(np.array(ids), 5, window), expected)


def test_ppmi_by_hand():
    """8 pairs; word 0 has 3 of them, all with context 0, which has 4: log (3/8) / (3/8 x 4/8) = log 2."""
    counts = np.array([[3.0, 0], [1, 4]])
    expected = [[np.log(2), 0], [0, np.log((4 / 8) / (5 / 8 * 4 / 8))]]
    np.testing.assert_allclose(kb.ppmi(counts, smoothing=1.0), expected, rtol=1e-14)


def test_words_that_meet_by_chance_have_no_information():
    counts = np.outer([1.0, 2, 3], [4.0, 5, 6, 0])
    assert np.all(kb.ppmi(counts, smoothing=1.0) < 1e-15)


def test_smoothing_lowers_the_rare():
    counts = np.array([[1.0, 50], [0, 50]])
    assert kb.ppmi(counts)[0, 0] < kb.ppmi(counts, smoothing=1.0)[0, 0]


def test_all_columns_give_the_table_s_own_inner_products():
    """With every column U sqrt(S) has U S U^T as its inner products, the root of table table^T."""
    vectors = kb.principal_vectors(TABLE, 4)
    np.testing.assert_allclose((vectors @ vectors.T) @ (vectors @ vectors.T), TABLE @ TABLE.T, rtol=1e-12)
    np.testing.assert_array_equal(kb.principal_vectors(TABLE, 2), vectors[:, :2])


def test_the_sign_of_a_column_is_fixed():
    vectors = kb.principal_vectors(-TABLE, 4)
    assert np.all(vectors[np.argmax(np.abs(vectors), axis=0), range(4)] > 0)
    np.testing.assert_allclose(vectors, kb.principal_vectors(TABLE, 4), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("width", [0, 5])
def test_too_many_columns_are_refused(width):
    for module, table in ((kb, TABLE), (kt, torch.tensor(TABLE))):
        with pytest.raises(ValueError, match=rf"width is {width}, expected 1 to 4 for table \(4, 4\)"):
            module.principal_vectors(table, width)


# ---- analogies ---------------------------------------------------------------------------------------------------
def test_an_analogy_by_hand():
    """Royalty and gender as two axes: king + (woman - man) is queen exactly."""
    vectors = np.array([[0.0, 1, 1], [0, 1, -1], [2, 1, 1], [2, 1, -1], [-5, 1, 0]])  # man, woman, king, queen, frog
    man, woman, king, queen = (v / np.linalg.norm(v) for v in vectors[:4])
    wish = woman - man + king
    cosine, best = kb.analogy(vectors, 0, 1, 2)
    assert best.tolist() == [3]
    np.testing.assert_allclose(cosine, [wish @ queen / np.linalg.norm(wish)], rtol=1e-14)


def test_the_corpus_is_made_so_that_the_analogy_holds():
    assert share_right(2000, leave_out=False) > 0.9
    assert parallel(2000) > 0.7


def test_in_a_small_corpus_the_answer_is_often_an_input():
    assert share_right(500, leave_out=True) > 0.9
    assert share_right(500, leave_out=False) < 0.6


def test_leaving_out_the_inputs_makes_it_hold_even_where_nothing_is_to_be_found():
    """The mutation: she, her, dress become he, his, beard. No gender is left to learn, the differences no longer point
    one way, and still the answer is right once the inputs are left out: it is just the nearest word to the third."""
    assert share_right(500, leave_out=True, genderless=True) > 0.9
    assert share_right(500, leave_out=False, genderless=True) < 0.2
    assert parallel(500, genderless=True) < 0.3 < parallel(500)


def test_what_is_left_out_is_never_the_answer():
    number, vectors = courtyard(500)
    known = [number[word] for word in ("man", "woman", "king")]
    assert not set(known) & set(kb.analogy(vectors, *known, k=len(vectors) - 3)[1])
    assert set(known) <= set(kb.analogy(vectors, *known, k=len(vectors), leave_out=False)[1])


def test_analogies_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match=r"analogy: a, b, c has 9, expected 0 to 6"):
        kb.analogy(np.ones((7, 2)), 0, 9, 1)
    with pytest.raises(ValueError, match=r"k is 5, expected 1 to 4 for vectors \(7, 2\)"):
        kb.analogy(np.ones((7, 2)), 0, 1, 2, k=5)


# ---- texts -------------------------------------------------------------------------------------------------------
def test_importance_by_hand():
    counts = np.array([[1.0, 2, 0], [3, 0, 0], [1, 0, 0]])
    np.testing.assert_allclose(kb.importance(counts), [0, np.log(2), np.log(4)], rtol=1e-15)


def test_a_text_of_one_word_points_where_the_word_points_and_an_unknown_one_nowhere():
    vectors = np.random.default_rng(0).standard_normal((4, 3))
    texts = kb.text_vectors(np.array([[0.0, 5, 0, 0], [0, 0, 0, 0]]), np.ones(4), vectors)
    np.testing.assert_allclose(texts[0], vectors[1] / np.linalg.norm(vectors[1]), rtol=1e-14)
    assert not texts[1].any()

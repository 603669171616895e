"""Losses against their formulas, against enumeration, and against PyTorch's values."""

from itertools import groupby, product

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from autograd import Tensor, graph, log_softmax
from autograd.testing import check_grads
from rnn.losses import cross_entropy, ctc, mse, squared_error

IGNORED = -1


def log_probabilities(z):
    """Log softmax by its definition, in NumPy alone."""
    return z - np.log(np.sum(np.exp(z), axis=-1, keepdims=True))


@st.composite
def classified(draw):
    """(logits (…, K), target (…) with some IGNORED)."""
    shape = tuple(draw(st.lists(st.integers(0, 3), max_size=2)))
    K = draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return rng.normal(size=(*shape, K)), rng.integers(IGNORED, K, shape)


@given(classified())
def test_cross_entropy_is_its_formula_over_the_places_that_count(case):
    z, target = case
    log_p = log_probabilities(z)
    each = np.zeros(target.shape)
    for place in np.ndindex(target.shape):
        if target[place] != IGNORED:
            each[place] = -log_p[(*place, target[place])]
    count = np.sum(target != IGNORED)
    for reduction, expected in (
        ("none", each),
        ("sum", each.sum()),
        ("mean", each.sum() / max(count, 1)),
    ):
        options = {"ignore_index": IGNORED, "reduction": reduction}
        found = cross_entropy(Tensor(z), target, **options)
        np.testing.assert_allclose(found.data, expected, rtol=1e-12, atol=1e-15)


@given(classified())
def test_an_index_is_a_probability_of_one(case):
    z, target = case
    target = np.maximum(target, 0)
    certain = np.eye(z.shape[-1])[target]
    for reduction in ("none", "sum", "mean"):
        np.testing.assert_allclose(
            cross_entropy(z, certain, reduction=reduction),
            cross_entropy(z, target, reduction=reduction),
            rtol=1e-12,
        )


def test_where_everything_is_ignored_there_is_nothing_to_learn():
    z = Tensor(np.ones((3, 2)), requires_grad=True)
    E = cross_entropy(z, np.full(3, IGNORED), ignore_index=IGNORED)
    E.backward()
    assert E.item() == 0
    np.testing.assert_array_equal(z.grad, np.zeros((3, 2)))


def test_ignored_places_get_no_gradient_and_change_none():
    rng = np.random.default_rng(0)
    z = Tensor(rng.normal(size=(4, 3)), requires_grad=True)
    cross_entropy(z, np.array([2, 9, 0, 9]), ignore_index=9).backward()
    kept = Tensor(z.data[[0, 2]], requires_grad=True)
    cross_entropy(kept, np.array([2, 0])).backward()
    np.testing.assert_array_equal(z.grad[[1, 3]], np.zeros((2, 3)))
    np.testing.assert_allclose(z.grad[[0, 2]], kept.grad, rtol=1e-14)


def test_cross_entropy_has_derivatives_of_both_its_arguments():
    rng = np.random.default_rng(0)
    z, p = rng.normal(size=(2, 3, 4)), np.full((2, 3, 4), 0.25)
    check_grads(lambda z: cross_entropy(z, np.array([[0, 3, 9], [1, 1, 2]]),
                                        ignore_index=9), (z,))  # fmt: skip
    check_grads(lambda z: cross_entropy(z, p), (z,))
    target = Tensor(p, requires_grad=True)
    cross_entropy(z, target, reduction="sum").backward()
    np.testing.assert_allclose(target.grad, -log_probabilities(z), rtol=1e-12)


def test_a_class_that_is_ruled_out_costs_nothing():
    z = Tensor(np.array([[1.0, -np.inf, 2.0]]), requires_grad=True)
    E = cross_entropy(z, np.array([[0.5, 0.0, 0.5]]))
    E.backward()
    assert np.isfinite(E.item()) and np.isfinite(z.grad).all()
    assert cross_entropy(z, np.array([[0.5, 0.5, 0.0]])).item() == np.inf


def test_targets_may_be_lists_and_tensors_and_certain_of_nothing():
    z = np.random.default_rng(0).normal(size=(2, 3))
    one = cross_entropy(z, np.array([2, 0]))
    for same in ([2, 0], Tensor(np.array([2, 0])), [[0.0, 0, 1], [1, 0, 0]]):
        assert cross_entropy(z, same) == pytest.approx(one, rel=1e-14)
    assert cross_entropy(z, np.zeros((2, 3))) == 0
    assert cross_entropy(z.tolist(), [2, 0]) == one
    assert ctc(z[:, np.newaxis].tolist(), [[1]]) == ctc(z[:, np.newaxis], [[1]])


def test_cross_entropy_makes_no_one_hot_vectors():
    z = Tensor(np.zeros((6, 10_001)), requires_grad=True)
    wide = [n for n in graph(cross_entropy(z, np.arange(6))) if n.shape == z.shape]
    assert [n.op for n in wide] == ["leaf"]


def by_enumeration(log_p, labels, blank):
    """p(labels), over all K^T paths of (T, K) log-probabilities; −log of it."""
    T, K = log_p.shape
    total = 0.0
    for path in product(range(K), repeat=T):
        merged = [k for k, _ in groupby(path) if k != blank]
        if merged == list(labels):
            total += np.exp(sum(log_p[t, k] for t, k in enumerate(path)))
    return -np.log(total) if total else np.inf


@st.composite
def alignments(draw):
    """(logits (T, B, K), targets (B, L), input_lengths, target_lengths, blank)."""
    T, B, K, L = (draw(st.integers(a, b)) for a, b in ((0, 5), (1, 3), (2, 3), (0, 3)))
    blank = draw(st.integers(0, K - 1))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    labels = rng.choice([k for k in range(K) if k != blank], (B, L))
    lengths = rng.integers(0, T + 1, B), rng.integers(0, L + 1, B)
    return rng.normal(size=(T, B, K)), labels, *lengths, blank


# From label to label without a blank between, and with one.
JUMPS = np.random.default_rng(0).normal(size=(5, 2, 3)), np.array([[1, 2, 1], [2, 2, 1]])


@given(alignments())
@example((*JUMPS, np.array([5, 4]), np.array([3, 3]), 0))
def test_ctc_is_the_sum_over_all_paths(case):
    z, targets, steps, labels, blank = case
    expected = [
        by_enumeration(log_probabilities(z[:n, b]), targets[b, :m], blank)
        for b, (n, m) in enumerate(zip(steps, labels, strict=True))
    ]
    each = ctc(z, targets, steps, labels, blank, reduction="none")
    np.testing.assert_allclose(each, expected, rtol=1e-12, atol=1e-12)
    mean = np.mean(np.array(expected) / np.maximum(labels, 1))
    assert ctc(z, targets, steps, labels, blank) == pytest.approx(mean, rel=1e-12)
    finite = ctc(z, targets, steps, labels, blank, reduction="sum", zero_infinity=True)
    assert finite == pytest.approx(np.sum(np.array(expected)[np.isfinite(expected)]))


@given(alignments())
def test_what_is_beyond_the_lengths_does_not_matter(case):
    z, targets, steps, labels, blank = case
    other_z, other = z.copy(), targets.copy()
    for b, (n, m) in enumerate(zip(steps, labels, strict=True)):
        other_z[n:, b] = 7.0 * np.arange(z.shape[2])
        other[b, m:] = -99
    found = [
        ctc(*x, steps, labels, blank, reduction="none")
        for x in ((z, targets), (other_z, other))
    ]
    np.testing.assert_array_equal(*found)


def test_ctc_takes_log_probabilities_as_well():
    z = np.random.default_rng(0).normal(size=(5, 2, 4))
    targets = np.array([[1, 1], [3, 2]])
    assert ctc(log_softmax(z), targets) == pytest.approx(ctc(z, targets), rel=1e-14)
    # Two equal labels need a blank between them: three steps at least.
    assert ctc(z[:2], targets, reduction="none")[0] == np.inf


def test_ctc_is_differentiated_by_the_engine():
    rng = np.random.default_rng(0)
    targets, lengths = np.array([[1, 1], [2, 0]]), (np.array([5, 3]), np.array([2, 1]))
    check_grads(lambda z: ctc(z, targets, *lengths), (rng.normal(size=(5, 2, 3)),))
    z = Tensor(rng.normal(size=(2, 1, 3)), requires_grad=True)
    ctc(z, np.array([[1, 1]])).backward()
    np.testing.assert_array_equal(z.grad, np.zeros((2, 1, 3)))
    steps = {n.scope for n in graph(ctc(z, np.array([[1]])))}
    assert {"t=1", "t=2"} <= steps
    single = Tensor(z.data.astype(np.float32), requires_grad=True)
    assert ctc(single, np.array([[1]])).dtype == np.float32


@given(alignments())
def test_ctc_agrees_with_pytorch(case):
    torch = pytest.importorskip("torch")
    z, targets, steps, labels, blank = case
    if not len(z):
        return
    ours, theirs = Tensor(z, requires_grad=True), torch.tensor(z, requires_grad=True)
    options = {"blank": blank, "reduction": "none", "zero_infinity": True}
    E = ctc(ours, targets, steps, labels, **options)
    d = torch.nn.functional.ctc_loss(
        theirs.log_softmax(-1), *map(torch.tensor, (targets, steps, labels)), **options
    )
    np.testing.assert_allclose(E.data, d.detach().numpy(), rtol=1e-12, atol=1e-12)
    E.backward(np.ones(E.shape))
    d.sum().backward()
    np.testing.assert_allclose(ours.grad, theirs.grad.numpy(), rtol=1e-10, atol=1e-12)


@given(classified())
def test_cross_entropy_agrees_with_pytorch(case):
    torch = pytest.importorskip("torch")
    z, target = case
    z, target = z.reshape(-1, z.shape[-1]), target.ravel()
    if not np.any(target != IGNORED):
        return  # PyTorch's mean of none is NaN
    expected = torch.nn.functional.cross_entropy(
        torch.tensor(z), torch.tensor(target), ignore_index=IGNORED
    )
    found = cross_entropy(z, target, ignore_index=IGNORED)
    assert found == pytest.approx(expected.item(), rel=1e-12, abs=1e-15)


Z, ONE = np.zeros((4, 2, 3)), np.array([[1], [2]])
MISTAKES = [
    (mse, (Z, Z[0]), r"mse: y has shape \(4, 2, 3\) and d \(2, 3\)"),
    (squared_error, (Z, 1.0), r"squared_error: .* d \(\), expected the same"),
    (cross_entropy, (1.0, 0), r"logits is a number, expected shape \(…, K\)"),
    (cross_entropy, (Z, ONE), r"int64 of shape \(2, 1\); expected integers of shape"),
    (cross_entropy, (Z, Z[..., 0]), r"integers of shape \(4, 2\)"),
    (cross_entropy, (Z[0], np.array([0, 3])), "indices from 0 to 3, expected 0 to 2"),
    (cross_entropy, (Z[0], np.array([0, -1])), "from -1 to 0, expected 0 to 2"),
    (cross_entropy, (Z[0], Z[0] == 0), "the target is bool"),
    (cross_entropy, (Z[0], Z[0] + 1.0), "no probabilities: .* sum .* is 1"),
    (cross_entropy, (Z[0], Z[0] + [2.0, -1.0, 0.0]), "no probabilities"),
    (cross_entropy, (Z[0], Z[0] * np.nan), "no probabilities"),
    (lambda: cross_entropy(Z[0], np.array([0, 7]), ignore_index=9), (),
     "indices from 0 to 7, expected 0 to 2, or 9 to ignore"),
    (lambda: cross_entropy(Z[0], Z[0], ignore_index=9), (), "goes with indices"),
    (lambda: cross_entropy(Z[0], ONE[:, 0], reduction="avg"), (),
     "cross_entropy: reduction='avg', expected one of mean, sum, none"),
    (ctc, (Z[0], ONE), r"shape \(2, 3\).*expected .*\(T, B, K\).*newaxis"),
    (ctc, (Z.astype(int), ONE), "logits are int64"),
    (ctc, (Z, ONE[:1]), r"shape \(1, 1\), expected integers \(B, L\) with B = 2"),
    (ctc, (Z, ONE * 1.0), "targets are float64"),
    (ctc, (Z, ONE, None, None, 3), "blank=3, expected one of the classes 0 to 2"),
    (ctc, (Z, ONE, None, None, 0.0), "blank=0.0, expected one of the classes 0 to 2"),
    (ctc, (Z, [[1], [1, 2]]), "the targets have different lengths, expected integers"),
    (ctc, (np.swapaxes(Z, 0, 1), ONE),
     "with B = 4.*are the axes of time and batch swapped in logits"),
    (ctc, (Z, ONE - 1), "have the label 0, expected 0 to 2 without the blank, 0"),
    (ctc, (Z, ONE + 1), "have the label 3"),
    (ctc, (Z, ONE, [5, 4]), "input_lengths are from 4 to 5, expected 0 to 4"),
    (ctc, (Z, ONE, [4]), r"input_lengths are int64 of shape \(1,\), .* \(B,\) = \(2,\)"),
    (ctc, (Z, ONE, None, [1, -1]), "target_lengths are from -1 to 1, expected 0 to 1"),
    (ctc, (Z, ONE, None, [1.0, 1.0]), "target_lengths are float64"),
    (lambda: ctc(Z, ONE, reduction="avg"), (), "ctc: reduction='avg'"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "arguments", "match"), MISTAKES)
def test_mistakes(call, arguments, match):
    with pytest.raises(ValueError, match=match):
        call(*arguments)


def test_no_labels_at_all_are_labels_too():
    """[[], []] is an array of floats, as NumPy has it: every step is blank then."""
    expected = -np.sum(log_softmax(Z + np.arange(3.0))[..., 0], axis=0)
    found = ctc(Z + np.arange(3.0), [[], []], reduction="none")
    np.testing.assert_allclose(found, expected, rtol=1e-14)

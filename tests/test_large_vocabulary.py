"""The lecture's 10,001 words: indices throughout, never a one-hot vector."""

import tracemalloc

import numpy as np

from autograd import graph
from rnn import ElmanNetwork
from rnn.language import _objective, next_word
from rnn.losses import squared_error
from rnn.sampling import sample

V, T, B = 10_001, 35, 20


def test_reading_words_takes_less_memory_than_one_hot_vectors():
    network = ElmanNetwork(V, 8, 2, rng=0, dtype=np.float32)
    x = np.random.default_rng(0).integers(0, V, (T, B))
    d = np.zeros((T, B, 2), np.float32)
    tracemalloc.start()
    squared_error(network(x), d).backward()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    one_hot = T * B * V  # bytes, were they of one byte each
    assert network.W_x.grad.shape == (8, V) and peak < one_hot / 2


def test_nothing_as_wide_as_the_vocabulary_comes_before_the_logits():
    network = ElmanNetwork(V, 8, V, output_activation="softmax", rng=0, dtype=np.float32)
    x = np.random.default_rng(0).integers(0, V, (2, 3))
    E, state = _objective(network, (x, x), None)
    wide = {(n.op, n.name) for n in graph(E) if V in n.shape}
    assert {name for op, name in wide if op == "leaf"} == {"W_x", "W_y", "b_y"}
    assert {(op, name) for op, name in wide if op != "leaf"} == {
        ("inner", None), ("add", None), ("reshape", "v_y")
    }  # fmt: skip
    assert V not in state.shape
    words = sample(next_word(network), x, None, 2, rng=np.random.default_rng(0), top_k=9)
    assert words.shape == (2, 3) and words.max() < V - 1

"""Random networks and data: strategies for the properties of unrolling."""

import numpy as np
from hypothesis import strategies as st

from rnn import ElmanNetwork, losses

SMOOTH = ("tanh", "sigmoid", "softplus", "identity")
LOSSES = {
    "squared error": (losses.squared_error, lambda y, d: y - d),
    "mse": (losses.mse, lambda y, d: 2 * (y - d) / y.size),
    "linear": (lambda y, d: np.sum(y * d), lambda y, d: d),
}
sizes = st.integers(1, 4)


def draw_network(draw, output_activations=(*SMOOTH, "relu", "softmax")):
    """An Elman network with random, non-zero parameters, biases included."""
    D, H, O = draw(sizes), draw(sizes), draw(sizes)  # noqa: E741
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    activation = draw(st.sampled_from((*SMOOTH, "relu")))
    output = draw(st.sampled_from(output_activations))
    network = ElmanNetwork(D, H, O, activation, output, rng=rng)
    for p in network.parameters().values():
        p.data = rng.uniform(0.2, 1.0, p.shape) * rng.choice([-1, 1], p.shape)
    return network, rng


@st.composite
def cases(draw):
    """(network, x (T, B, D), d (T, B, O), a0 (B, H), loss, ∂E/∂y by hand)."""
    network, rng = draw_network(draw)
    T, B = draw(st.integers(1, 7)), draw(st.integers(1, 3))
    D, H, O = (network.config[k] for k in ("input_size", "hidden_size", "output_size"))  # noqa: E741
    x, d = rng.normal(size=(T, B, D)), rng.normal(size=(T, B, O))
    a0 = rng.normal(size=(B, H)) if draw(st.booleans()) else None
    loss, by_hand = LOSSES[draw(st.sampled_from(sorted(LOSSES)))]
    return network, x, d, a0, loss, by_hand

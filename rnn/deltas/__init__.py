"""The δ of backpropagation through time, derived by hand, in plain NumPy.

This is the oracle that the engine is held against, so it shares no code with it.
Rows are samples; T steps, B samples, D inputs, H hidden units, O outputs.
"""

from rnn.deltas.autonomous import boltzmann, rbm
from rnn.deltas.feedforward import feedforward, windowed
from rnn.deltas.gated import gru, lstm
from rnn.deltas.simple import elman, rnn

__all__ = [
    "boltzmann", "elman", "feedforward", "gru", "lstm", "rbm", "rnn", "windowed"
]  # fmt: skip

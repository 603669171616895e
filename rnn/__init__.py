"""Recurrent networks that unroll themselves into the engine's graph."""

from rnn import deltas, losses, optim
from rnn.cells import GRUCell, LSTMCell, RNNCell
from rnn.elman import ElmanNetwork, Instant
from rnn.files import load, save
from rnn.flow import GradientFlow, gradient_flow
from rnn.layers import MLP, Embedding, LayerNorm, Linear
from rnn.recurrent import GRU, LSTM, RNN
from rnn.text import Vocabulary
from rnn.training import History, fit
from rnn.unroll import unroll
from rnn.window import WindowMLP, windows

__all__ = [
    "GRU",
    "LSTM",
    "MLP",
    "RNN",
    "ElmanNetwork",
    "Embedding",
    "GRUCell",
    "GradientFlow",
    "History",
    "Instant",
    "LSTMCell",
    "LayerNorm",
    "Linear",
    "RNNCell",
    "Vocabulary",
    "WindowMLP",
    "deltas",
    "fit",
    "gradient_flow",
    "load",
    "losses",
    "optim",
    "save",
    "unroll",
    "windows",
]

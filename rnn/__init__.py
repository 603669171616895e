"""Recurrent networks that unroll themselves into the engine's graph."""

from rnn import deltas, losses, optim
from rnn.cells import GRUCell, LSTMCell, RNNCell
from rnn.credit import Credit, credit
from rnn.elman import ElmanNetwork, Instant
from rnn.explain import explain
from rnn.files import load, save
from rnn.flow import GradientFlow, gradient_flow
from rnn.layers import MLP, Embedding, LayerNorm, Linear
from rnn.recurrent import GRU, LSTM, RNN
from rnn.text import Vocabulary
from rnn.training import History, fit
from rnn.unroll import unroll
from rnn.window import WindowMLP, windows
from rnn.wiring import (
    architecture_of,
    encoder_decoder,
    many_to_many,
    many_to_one,
    one_to_many,
    one_to_one,
)

__all__ = [
    "GRU",
    "LSTM",
    "MLP",
    "RNN",
    "Credit",
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
    "architecture_of",
    "credit",
    "deltas",
    "encoder_decoder",
    "explain",
    "fit",
    "gradient_flow",
    "load",
    "losses",
    "many_to_many",
    "many_to_one",
    "one_to_many",
    "one_to_one",
    "optim",
    "save",
    "unroll",
    "windows",
]

"""Recurrent networks that unroll themselves into the engine's graph."""

from rnn import deltas, losses, optim
from rnn.binary import bars_and_stripes
from rnn.boltzmann import BoltzmannMachine, RestrictedBoltzmannMachine
from rnn.bptt import cut, cuts, segments
from rnn.capacity import capacity_curve
from rnn.cells import GRUCell, LSTMCell, RNNCell
from rnn.contrastive import Learning, contrast, fit_boltzmann
from rnn.credit import Credit, credit
from rnn.elman import ElmanNetwork, Instant
from rnn.explain import explain
from rnn.files import load, load_weights, save, save_weights
from rnn.flow import GradientFlow, gradient_flow
from rnn.hopfield import Hopfield, Recall
from rnn.language_model import LanguageModel
from rnn.layers import MLP, Embedding, LayerNorm, Linear, Sequential
from rnn.module import Module
from rnn.recurrent import GRU, LSTM, RNN
from rnn.sampling import beam_search, sample
from rnn.series import DataError, read_series, read_text
from rnn.text import Batches, Segmentation, Vocabulary, characters, join, tokenise
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
    "Batches",
    "BoltzmannMachine",
    "Credit",
    "DataError",
    "ElmanNetwork",
    "Embedding",
    "GRUCell",
    "GradientFlow",
    "History",
    "Hopfield",
    "Instant",
    "LSTMCell",
    "LanguageModel",
    "LayerNorm",
    "Learning",
    "Linear",
    "Module",
    "RNNCell",
    "Recall",
    "RestrictedBoltzmannMachine",
    "Segmentation",
    "Sequential",
    "Vocabulary",
    "WindowMLP",
    "architecture_of",
    "bars_and_stripes",
    "beam_search",
    "capacity_curve",
    "characters",
    "contrast",
    "credit",
    "cut",
    "cuts",
    "deltas",
    "encoder_decoder",
    "explain",
    "fit",
    "fit_boltzmann",
    "gradient_flow",
    "join",
    "load",
    "load_weights",
    "losses",
    "many_to_many",
    "many_to_one",
    "one_to_many",
    "one_to_one",
    "optim",
    "read_series",
    "read_text",
    "sample",
    "save",
    "save_weights",
    "segments",
    "tokenise",
    "unroll",
    "windows",
]

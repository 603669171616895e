"""Recurrent networks that unroll themselves into the engine's graph."""

from rnn import deltas, losses, optim
from rnn.elman import ElmanNetwork, Instant
from rnn.files import load, save
from rnn.flow import GradientFlow, gradient_flow
from rnn.text import Vocabulary
from rnn.training import History, fit
from rnn.unroll import unroll
from rnn.window import WindowMLP, windows

__all__ = [
    "ElmanNetwork",
    "GradientFlow",
    "History",
    "Instant",
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

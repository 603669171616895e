"""Recurrent networks that unroll themselves into the engine's graph."""

from rnn import deltas, losses
from rnn.elman import ElmanNetwork, Instant
from rnn.unroll import unroll
from rnn.window import WindowMLP, windows

__all__ = [
    "ElmanNetwork",
    "Instant",
    "WindowMLP",
    "deltas",
    "losses",
    "unroll",
    "windows",
]

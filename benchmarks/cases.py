"""The passes that are timed, in this project and by hand: what `worker` runs.

A case is named by its network and its sizes, "LSTM 100 32 128 128" for T, B, D, H. A pass
is the forward and the full backward one, the gradient of x included, in float32, with
∂E/∂h = h. `rivals` has the same for other libraries.

Our sides are "called", network and sweep as anybody writes them, which the network
replays after twenty calls; "compiled", all of it as one program; and "recorded", every
operation by itself, which is what pictures are made of, and how the first calls go.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

import rnn
from autograd import Tensor, Value, compile
from autograd.programs import replaying
from benchmarks.by_hand import PASSES
from benchmarks.rivals import BATCH, HIDDEN, STEPS, VOCABULARY, WIDE, scalar_job
from rnn import Embedding, Linear, losses
from rnn.module import Module
from rnn.optim import Adam, clip_grad_norm

__all__ = ["work"]

Work = Callable[..., Any]


def network(kind: str, sizes: list[int]) -> tuple[Any, Any]:
    T, B, D, H = sizes
    x = np.random.default_rng(0).normal(size=(T, B, D)).astype(np.float32)
    return getattr(rnn, kind)(D, H, rng=0, dtype=np.float32), x


def passes(side: str, kind: str, sizes: list[int]) -> Work:
    """One pass through a network."""
    net, x = network(kind, sizes)
    if side == "by hand":
        parameters = {name: p.data.copy() for name, p in net.parameters().items()}
        return lambda: PASSES[kind](parameters, x)
    leaf = Tensor(x, requires_grad=True)

    def run() -> Any:
        net.zero_grad()
        leaf.zero_grad()
        h, _ = net(leaf)
        h.backward(h)
        return h

    return as_side(side, run)


def as_side(side: str, run: Work) -> Work:
    """The work as it is done on one of our sides."""
    if side == "compiled":
        return compile(run)
    if side == "called":
        return run

    def recorded(*args: Any) -> Any:
        before, replaying.PRICE = replaying.PRICE, sys.maxsize
        try:
            return run(*args)
        finally:
            replaying.PRICE = before

    return recorded


class NextWord(Module):
    """The model of the next word whose steps are counted."""

    def __init__(self) -> None:
        self.table = Embedding(VOCABULARY, WIDE, rng=0, dtype=np.float32)
        self.cell = rnn.LSTM(WIDE, HIDDEN, rng=0, dtype=np.float32)
        self.out = Linear(HIDDEN, VOCABULARY, rng=0, dtype=np.float32)


def language(side: str) -> Work:
    """A whole training step of the next-word LSTM, Adam and clipping included."""
    model = NextWord()
    parameters = model.parameters()
    optimizer = Adam(parameters, lr=1e-3)
    # Words as often as in a text: a few of them most of the time.
    words = np.random.default_rng(0).zipf(1.3, (STEPS + 1, BATCH)) % VOCABULARY

    def loss(words: Any, targets: Any) -> Any:
        model.zero_grad()
        h, _ = model.cell(model.table(words))
        E = losses.cross_entropy(model.out(h), targets)
        E.backward()
        return E

    run = as_side(side, loss)

    def step() -> None:
        run(words[:-1], words[1:])
        clip_grad_norm(parameters, 0.25)
        optimizer.step()

    return step


def scalars(side: str) -> Work:
    """micrograd's own job, a network of Python floats."""
    return as_side(side, scalar_job(Value, None))


def work(side: str, case: str, threads: int = 1) -> Work | None:
    """The work of one case, made ready; None for what is not written by hand."""
    name, *sizes = case.split()
    if name in ("next-word", "micrograd's") and side == "by hand":
        return None
    if name == "micrograd's" and side == "recorded":
        return None  # as it is called
    if name == "next-word":
        return language(side)
    if name == "micrograd's":
        return scalars(side)
    return passes(side, name, [int(size) for size in sizes])

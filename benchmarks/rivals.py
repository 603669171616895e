"""The same passes in other libraries, each in an interpreter that has it.

Run by `worker`, which knows nothing of this project there: a rival's environment has no
`autograd` of ours, and HIPS autograd has the same import name.
"""

from __future__ import annotations

import gc
import random
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["work"]

Work = Callable[[], object]
VOCABULARY, WIDE, HIDDEN, BATCH, STEPS = 10_001, 128, 256, 20, 35
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


def given(kind: str, sizes: list[int]) -> tuple[Any, list[Any]]:
    """x, and W_ih, W_hh, b_ih, b_hh."""
    T, B, D, H = sizes
    rng, rows = np.random.default_rng(0), GATES[kind] * H
    x = rng.normal(size=(T, B, D)).astype(np.float32)
    shapes = ((rows, D), (rows, H), (rows,), (rows,))
    return x, [rng.uniform(-1, 1, s).astype(np.float32) / H**0.5 for s in shapes]


def torch(kind: str, sizes: list[int]) -> Work:
    import torch as library

    D, H = sizes[2:]
    net = getattr(library.nn, kind)(D, H)
    x = library.tensor(given(kind, sizes)[0], requires_grad=True)

    def run() -> None:
        net.zero_grad()
        x.grad = None
        h, _ = net(x)
        h.backward(h.detach())

    return run


def torch_cells(kind: str, sizes: list[int]) -> Work:
    """Cell by cell, as one writes it who wants to see the steps."""
    import torch as library

    T, _, D, H = sizes
    cell = getattr(library.nn, f"{kind}Cell")(D, H)
    x = library.tensor(given(kind, sizes)[0], requires_grad=True)

    def run() -> None:
        cell.zero_grad()
        x.grad = None
        state, outputs = None, []
        for t in range(T):
            state = cell(x[t], state)
            outputs.append(state[0] if kind == "LSTM" else state)
        h = library.stack(outputs)
        h.backward(h.detach())

    return run


def torch_language() -> Work:
    import torch as library

    nn = library.nn
    table, cell = nn.Embedding(VOCABULARY, WIDE), nn.LSTM(WIDE, HIDDEN)
    out = nn.Linear(HIDDEN, VOCABULARY)
    parameters = [p for part in (table, cell, out) for p in part.parameters()]
    optimizer = library.optim.Adam(parameters, lr=1e-3)
    drawn = np.random.default_rng(0).zipf(1.3, (STEPS + 1, BATCH)) % VOCABULARY
    words = library.tensor(drawn)

    def step() -> None:
        optimizer.zero_grad()
        logits = out(cell(table(words[:-1]))[0]).reshape(-1, VOCABULARY)
        nn.functional.cross_entropy(logits, words[1:].reshape(-1)).backward()
        nn.utils.clip_grad_norm_(parameters, 0.25)
        optimizer.step()

    return step


def advance(np: Any, kind: str, state: Any, of_x: Any, W_hh: Any, b_hh: Any) -> Any:
    """One step, for a library with NumPy's names."""
    sigmoid = lambda v: 0.5 * np.tanh(0.5 * v) + 0.5  # noqa: E731
    h, c = state
    H = W_hh.shape[1]
    of_h = np.dot(h, W_hh.T) + b_hh
    if kind == "RNN":
        return np.tanh(of_x + of_h), c
    if kind == "GRU":
        gates = sigmoid(of_x[:, : 2 * H] + of_h[:, : 2 * H])
        n = np.tanh(of_x[:, 2 * H :] + gates[:, :H] * of_h[:, 2 * H :])
        return n + gates[:, H:] * (h - n), c
    v = of_x + of_h
    i, f, o = sigmoid(v[:, :H]), sigmoid(v[:, H : 2 * H]), sigmoid(v[:, 3 * H :])
    c = f * c + i * np.tanh(v[:, 2 * H : 3 * H])
    return o * np.tanh(c), c


def jax(kind: str, sizes: list[int]) -> Work:
    import jax as library
    import jax.numpy as jnp

    _, B, _, H = sizes
    x, parameters = given(kind, sizes)
    zero = np.zeros((B, H), np.float32)

    def E(parameters: Any, x: Any) -> Any:
        W_ih, W_hh, b_ih, b_hh = parameters
        of_x = jnp.dot(x, W_ih.T) + b_ih

        def step(state: Any, of_x: Any) -> Any:
            state = advance(jnp, kind, state, of_x, W_hh, b_hh)
            return state, state[0]

        return 0.5 * jnp.sum(library.lax.scan(step, (zero, zero), of_x)[1] ** 2)

    both = library.jit(library.value_and_grad(E, (0, 1)))
    return lambda: library.block_until_ready(both(parameters, x))


def hips(kind: str, sizes: list[int]) -> Work:
    import autograd.numpy as anp

    import autograd as library

    T, B, _, H = sizes
    x, parameters = given(kind, sizes)
    zero = np.zeros((B, H), np.float32)

    def E(parameters: Any, x: Any) -> Any:
        W_ih, W_hh, b_ih, b_hh = parameters
        of_x = anp.dot(x, W_ih.T) + b_ih
        state, total = (zero, zero), 0.0
        for t in range(T):
            state = advance(anp, kind, state, of_x[t], W_hh, b_hh)
            total = total + 0.5 * anp.sum(state[0] ** 2)
        return total

    both = library.value_and_grad(lambda both: E(*both))
    return lambda: both((parameters, x))


def scalar_job(value: Callable[[float], Any], zero: float | None) -> Callable[[], Any]:
    """micrograd's own job, of any Value: its network 2-16-16-1 over 100 points, and back.

    `zero` is what a gradient that is forgotten is set to.
    """
    draw = random.Random(0)

    def neuron(inputs: int) -> tuple[list[Any], Any]:
        return [value(draw.uniform(-1, 1)) for _ in range(inputs)], value(0.0)

    layers = [[neuron(n) for _ in range(m)] for n, m in ((2, 16), (16, 16), (16, 1))]
    parameters = [v for layer in layers for ws, b in layer for v in (*ws, b)]
    points = [
        (draw.gauss(0, 1), draw.gauss(0, 1), draw.choice((-1, 1))) for _ in range(100)
    ]

    def run() -> Any:
        for p in parameters:
            p.grad = zero
        terms = []
        for first, second, target in points:
            x: list[Any] = [first, second]
            for depth, neurons in enumerate(layers):
                x = [
                    sum((w * v for w, v in zip(ws, x, strict=True)), b)
                    for ws, b in neurons
                ]
                x = x if depth == 2 else [v.relu() for v in x]
            terms.append((1 + -target * x[0]).relu())
        total = sum(terms) * (1.0 / len(terms))
        total.backward()
        return total

    return run


def micrograd(collected: bool) -> Work:
    from micrograd.engine import Value

    run = scalar_job(Value, 0)

    def uncollected() -> None:
        gc.collect()
        gc.disable()
        try:
            run()
        finally:
            gc.enable()

    return run if collected else uncollected


def work(side: str, case: str, threads: int) -> Work | None:
    """The work of one case, made ready; None where the rival has none."""
    name, *rest = case.split()
    if side.startswith("torch"):
        import torch as library

        library.set_num_threads(threads)
    if name == "micrograd's":
        return micrograd(side == "micrograd") if side.startswith("micrograd") else None
    if name == "next-word":
        return torch_language() if side == "torch" else None
    sizes = [int(size) for size in rest]
    sides = {"torch": torch, "torch cells": torch_cells, "jax": jax, "hips": hips}
    return sides[side](name, sizes) if side in sides else None

"""Layers without memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from autograd import Tensor, fresh, linear, named
from autograd.tensor import array_of
from rnn.activations import ACTIVATIONS, OUTPUT_ACTIVATIONS, activation_named
from rnn.budget import charge
from rnn.checks import as_number, check_array, check_callable, check_sizes
from rnn.module import Module, check_config, uniform

__all__ = ["MLP", "Embedding", "LayerNorm", "Linear", "Sequential", "dropout"]

Seed = np.random.Generator | int | None


class Linear(Module):
    """y = x Wᵀ + b.

    Args:
        in_features: N, the width of x.
        out_features: M, the width of y.
        bias: whether there is b.
        rng: a seed or generator for the initial parameters, U(−1/√N, 1/√N).
        dtype: of the parameters, float64 or float32.

    Attributes:
        weight (M, N), bias (M,): W and b.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        rng: Seed = None,
        dtype: Any = np.float64,
    ) -> None:
        N, M = in_features, out_features
        sizes = {"in_features": N, "out_features": M}
        self.config = check_config(self, sizes, dtype, bias=bias)
        rng = np.random.default_rng(rng)
        self.weight = uniform(rng, N, M, N, name="weight", dtype=dtype)
        if bias:
            self.bias = uniform(rng, N, M, name="bias", dtype=dtype)

    def __call__(self, x: Any) -> Any:
        """Y (…, M) of x (…, N); ValueError for another width."""
        check_array("Linear", "x", x)
        if not np.ndim(x) or np.shape(x)[-1] != self.config["in_features"]:
            raise ValueError(
                f"Linear: x has shape {np.shape(x)}, expected (…, N) with N = "
                f"{self.config['in_features']}"
            )
        return linear(x, self.weight, *([self.bias] if self.config["bias"] else []))


class Embedding(Module):
    """Row k of a table for index k: the product of a one-hot vector, without the vector.

    Args:
        num_embeddings: K, the number of rows.
        embedding_dim: M, their width.
        rng: a seed or generator for the initial rows, N(0, 1).
        dtype: of the rows, float64 or float32.

    Attributes:
        weight (K, M): the table.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        *,
        rng: Seed = None,
        dtype: Any = np.float64,
    ) -> None:
        K, M = num_embeddings, embedding_dim
        sizes = {"num_embeddings": K, "embedding_dim": M}
        self.config = check_config(self, sizes, dtype)
        charge((K, M))
        rows = np.random.default_rng(rng).normal(size=(K, M)).astype(dtype)
        self.weight = Tensor(rows, requires_grad=True, name="weight")

    def __call__(self, index: Any) -> Any:
        """The rows (…, M) of integers (…).

        Raises:
            ValueError: for other numbers, and for an index that is not in 0 … K − 1.
        """
        check_array("Embedding", "index", index)
        index, K = array_of(index), self.config["num_embeddings"]
        if index.dtype.kind not in "iu":
            raise ValueError(
                f"Embedding: the indices are {index.dtype}, expected integers; those of "
                "one-hot rows are np.argmax(x, axis=-1)"
            )
        if index.size and not (index.min() >= 0 and index.max() < K):
            raise ValueError(
                f"Embedding: indices from {index.min()} to {index.max()}, expected 0 to "
                f"{K - 1}"
            )
        return self.weight[index]


class LayerNorm(Module):
    """y = (x − mean) / √(var + ε) ⊙ weight + bias, over the last axis (Ba et al., 2016).

    Args:
        normalized_shape: M, the size of the last axis.
        eps: ε.
        dtype: of the parameters, float64 or float32.

    Attributes:
        weight (M,), bias (M,): 1 and 0 at first.
    """

    def __init__(
        self, normalized_shape: int, eps: float = 1e-5, *, dtype: Any = np.float64
    ) -> None:
        if not 0 <= as_number(eps) < np.inf:
            raise ValueError(f"LayerNorm: eps={eps!r}, expected 0 or above")
        sizes = {"normalized_shape": normalized_shape}
        self.config = check_config(self, sizes, dtype, eps=eps)
        charge((2, normalized_shape))
        ones = np.ones(normalized_shape, dtype)
        self.weight = Tensor(ones, requires_grad=True, name="weight")
        self.bias = Tensor(0 * ones, requires_grad=True, name="bias")

    def __call__(self, x: Any) -> Any:
        """Of x (…, M), the same shape; ValueError for another width."""
        if not np.ndim(x) or np.shape(x)[-1] != self.weight.size:
            raise ValueError(
                f"LayerNorm: x has shape {np.shape(x)}, expected (…, M) with M = "
                f"{self.weight.size}"
            )
        deviation = x - np.mean(x, axis=-1, keepdims=True)
        var = np.mean(np.square(deviation), axis=-1, keepdims=True)
        return deviation / np.sqrt(var + self.config["eps"]) * self.weight + self.bias


class MLP(Module):
    """The lecture's feed-forward network: layers of u ← φ(u Wᵀ + b), the last with ψ.

    Args:
        sizes: N_0, N_1, …, N_L: the width of the input, of every hidden layer, of y.
        activation, output_activation: φ and ψ by name; ψ may be "softmax".
        rng: a seed or generator for the initial parameters; see `Linear`.
        dtype: of the parameters.

    Attributes:
        layers: the L `Linear` layers.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: str = "tanh",
        output_activation: str = "identity",
        *,
        rng: Seed = None,
        dtype: Any = np.float64,
    ) -> None:
        if np.ndim(sizes) != 1 or len(sizes) < 2:
            raise ValueError(f"MLP: sizes={sizes!r}, expected two widths or more")
        check_sizes("MLP", **{f"sizes[{i}]": size for i, size in enumerate(sizes)})
        self._phi = activation_named(activation, ACTIVATIONS, "activation")
        self._psi = activation_named(
            output_activation, OUTPUT_ACTIVATIONS, "output_activation"
        )
        chosen = {"activation": activation, "output_activation": output_activation}
        widths = {"sizes": [int(size) for size in sizes]}
        self.config = widths | check_config(self, {}, dtype, **chosen)
        rng = np.random.default_rng(rng)
        self.layers = [Linear(n, m, rng=rng, dtype=dtype) for n, m in pairwise(sizes)]

    def __call__(self, u: Any) -> Any:
        """Y (…, N_L) of u (…, N_0)."""
        for number, layer in enumerate(self.layers, start=1):
            v = named(f"v_{number}", layer(u))
            u = self._psi(v) if number == len(self.layers) else self._phi(v)
        return named("y", u)


class Sequential(Module):
    """Layers one after the other: y = f_n(… f_2(f_1(x))).

    Args:
        layers: f_1, …, f_n: Modules, or functions of one array such as `np.tanh`.

    Attributes:
        layers: the list of them. As in PyTorch, parameters are named "0.weight", ….

    Raises:
        TypeError: for a layer that cannot be called.
    """

    def __init__(self, *layers: Callable[[Any], Any]) -> None:
        for number, layer in enumerate(layers):
            check_callable("Sequential", f"layer {number}", layer, "x → y, or a Module")
        self.layers = list(layers)

    def __call__(self, x: Any) -> Any:
        """Y of x, each layer applied to the result of the one before."""
        for layer in self.layers:
            x = layer(x)
        return x

    def under_all_names(self) -> Iterator[tuple[str, Tensor]]:
        for name, p in super().under_all_names():
            yield name.removeprefix("layers."), p


def dropout(x: Any, p: float, rng: np.random.Generator) -> Any:
    """x with elements set to 0 with probability p, the rest divided by 1 − p."""
    if not 0 <= as_number(p) < 1:
        raise ValueError(f"dropout: p={p!r}, expected 0 ≤ p < 1")
    if not p:
        return x
    kept = fresh(lambda: rng.random(np.shape(x))) >= p
    return x * (kept / (1 - p)).astype(np.result_type(x))

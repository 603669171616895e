"""Reverse-mode differentiation of plain NumPy code, of any order.

import numpy as np
from autograd import Tensor

W = Tensor(np.ones((3, 2)), requires_grad=True, name="W")
loss = np.sum(np.tanh(x @ W) ** 2)
loss.backward()
W.grad
"""

from autograd import rules
from autograd.anomaly import detect_anomaly
from autograd.checkpointing import checkpoint
from autograd.context import no_grad, scope
from autograd.functional import (
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    value_and_grad,
    vjp,
)
from autograd.primitive import primitive
from autograd.programs.compiling import compile, fresh, steady
from autograd.rules.elementwise import (
    erf,
    gelu,
    log_softmax,
    logsumexp,
    relu,
    sigmoid,
    softmax,
    softplus,
)
from autograd.rules.likelihood import nll
from autograd.rules.linear import linear, linear_steps, times_transposed
from autograd.rules.polygammas import polygamma
from autograd.snapshot import Contribution, Graph, Node, contributions, graph
from autograd.tensor import Tensor, named
from autograd.value import Value

__all__ = [
    "Contribution",
    "Graph",
    "Node",
    "Tensor",
    "Value",
    "checkpoint",
    "compile",
    "contributions",
    "detect_anomaly",
    "erf",
    "fresh",
    "gelu",
    "grad",
    "graph",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "linear",
    "linear_steps",
    "log_softmax",
    "logsumexp",
    "named",
    "nll",
    "no_grad",
    "polygamma",
    "primitive",
    "relu",
    "rules",
    "scope",
    "sigmoid",
    "softmax",
    "softplus",
    "steady",
    "times_transposed",
    "value_and_grad",
    "vjp",
]

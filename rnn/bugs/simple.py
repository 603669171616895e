"""The classical mistakes in the δ of networks without gates."""

from rnn.bugs.bug import Bug

__all__ = ["BUGS"]

_RECURSION = """\
        dE_da = above[t] + delta_a[t + 1] @ W_a + held
        delta_a[t] = slope[t] * dE_da
"""
_SUM, _PRODUCT = (line.strip() for line in _RECURSION.splitlines())
_DELTA_Y = "output_delta(psi, v_y, dE_dy)"
_CALL = "_backward(delta_y @ W_y, v_a, W_a, m, dphi)"
_W_A = '"W_a": sum(delta_a[t].T @ a[t] for t in range(T))'
_W_X = '"W_x": sum(delta_a[t].T @ x[t] for t in range(T))'
_W_Y = '"W_y": sum(delta_y[t].T @ a[t + 1] for t in range(T))'
_B_A = '"b_a": delta_a.sum(axis=(0, 1))'
_A0 = "delta_a[0] @ W_a + held"
_BOTH = ("elman", "rnn")

BUGS: tuple[Bug, ...] = (
    Bug(
        "sign of the error",
        ("elman",),
        _DELTA_Y,
        "output_delta(psi, v_y, -dE_dy)",
        "δ_y^T",
        "With e = d − y one takes the error for ∂E/∂y, which is y − d. Every gradient "
        "has the right size and the opposite sign, so the training error grows.",
    ),
    Bug(
        "derivative of the output activation forgotten",
        ("elman",),
        _DELTA_Y,
        "dE_dy",
        "δ_y^T",
        "One takes the error itself for δ_y. That is right for identity outputs (and for "
        "softmax with cross-entropy), so nothing shows until the outputs are squashed.",
    ),
    Bug(
        "derivative of the hidden activation forgotten",
        _BOTH,
        _PRODUCT,
        "delta_a[t] = m[t] * dE_da",
        "δ_a^T",
        "One sends the error back through the weights alone, as if the layer were "
        "linear. Where φ' < 1, δ_a comes out too large, and more so at every step back.",
    ),
    Bug(
        "derivative at the wrong argument",
        ("elman",),
        _CALL,
        _CALL.replace("v_a", "a[1:]"),
        "δ_a^T",
        "One evaluates φ' at the state a^t, which was at hand, rather than at the field "
        "v_a^t. ReLU and identity do not show it, tanh does wherever |v_a| is not small.",
    ),
    Bug(
        "derivative at the step before",
        _BOTH,
        _PRODUCT,
        _PRODUCT.replace("[t] *", "[max(t - 1, 0)] *"),
        "δ_a^T",
        "One counts the fields from 1 and the steps from 0. Every δ_a has the size that "
        "one expects and the slope of its neighbour; only that of step 1 is right.",
    ),
    Bug(
        "immediate term missing",
        _BOTH,
        _SUM,
        _SUM.replace("above[t] + ", ""),
        "δ_a^T",
        "One remembers the layer itself, one instant later, and forgets the layer after, "
        "at the same instant. Nothing enters the recursion: δ_a is 0 throughout.",
    ),
    Bug(
        "error of the last step only",
        _BOTH,
        _SUM,
        _SUM.replace("above[t]", "(t == T - 1) * above[t]"),
        "δ_a^{T-1}",
        "One starts the recursion with the error at T and lets no other in, as if only "
        "the last output were trained. δ_a^T is right, all before it are not.",
    ),
    Bug(
        "recurrent term missing",
        _BOTH,
        _SUM,
        _SUM.replace("delta_a[t + 1] @ W_a + ", ""),
        "δ_a^{T-1}",
        "One treats each step as a feed-forward network of its own. Going forward in "
        "time, where δ_a^{t+1} is still 0, comes to the same. δ_a^T alone is right.",
    ),
    Bug(
        "W_a in place of its transpose",
        _BOTH,
        _SUM,
        _SUM.replace("@ W_a", "@ W_a.T"),
        "δ_a^{T-1}",
        "The square W_a fits either way round, so its shape does not say that the way "
        "back is δ W_a for v = a W_aᵀ. A network of one hidden unit does not show it.",
    ),
    Bug(
        "Jacobians in the wrong order",
        _BOTH,
        _RECURSION,
        """\
        dE_da = above[t] + held
        delta_a[t] = slope[t] * dE_da + (slope[t] * delta_a[t + 1]) @ W_a
""",
        "δ_a^{T-1}",
        "One multiplies δ_a^{t+1} by φ' before it passes W_a and not after, as if the "
        "two commuted. They do for one hidden unit; with more, δ_a^T alone is right.",
    ),
    Bug(
        "bracket forgotten",
        _BOTH,
        _RECURSION,
        """\
        dE_da = above[t] + held
        delta_a[t] = slope[t] * dE_da + delta_a[t + 1] @ W_a
""",
        "δ_a^{T-1}",
        "One applies φ' to the term from the output and not to the one from t + 1. What "
        "comes from later is too large, and explodes where it ought to vanish.",
    ),
    Bug(
        "truncated too early",
        _BOTH,
        _SUM,
        _SUM.replace("delta_a[t + 1]", "(t > 0) * delta_a[t + 1]"),
        "δ_a^1",
        "One stops the recursion before it has reached the first step. All δ are right "
        "but δ_a^1, the last to come, and ∂E/∂W_a, ∂E/∂W_x, ∂E/∂b_a lack its part.",
    ),
    Bug(
        "output seen from the state before",
        ("elman",),
        _W_Y,
        _W_Y.replace("a[t + 1]", "a[t]"),
        "∂E/∂W_y",
        "One pairs δ_y^t with a^{t−1}, by the analogy of W_a; but y^t is computed from "
        "a^t. All δ are right, and only ∂E/∂W_y is wrong.",
    ),
    Bug(
        "state off by one",
        ("elman",),
        _W_A,
        _W_A.replace("@ a[t]", "@ a[t + 1]"),
        "∂E/∂W_a",
        "One pairs δ_a^t with the state that it belongs to, a^t, not with a^{t−1}, which "
        "W_a multiplied. All δ are right and only ∂E/∂W_a is wrong.",
    ),
    Bug(
        "overwritten instead of added",
        ("elman",),
        _W_A,
        '"W_a": [delta_a[t].T @ a[t] for t in reversed(range(T))][-1]',
        "∂E/∂W_a",
        "One writes = where += is due, forgetting that all steps share one W_a. Only the "
        "term of the first step stays, which is exactly 0 where a^0 is.",
    ),
    Bug(
        "mean instead of sum",
        ("elman",),
        _W_X,
        _W_X + " / T",
        "∂E/∂W_x",
        "One averages over the steps what the chain rule adds up. The direction is right "
        "and the size is not, by T, so it passes for a learning rate that is too small.",
    ),
    Bug(
        "bias not summed over the batch",
        ("elman",),
        _B_A,
        '"b_a": delta_a.sum(axis=0)',
        "∂E/∂b_a",
        "One adds up the steps and forgets that the samples share one bias too. The "
        "shape is (B, H) for (H,), which broadcasting lets pass in b = b − η ∂E/∂b.",
    ),
    Bug(
        "initial state one step short",
        _BOTH,
        _A0,
        "delta_a[0] + held",
        "∂E/∂a0",
        "One takes δ_a^1 for the gradient of a^0, but between the two lies W_a: "
        "∂E/∂a^0 = δ_a^1 W_a. The shapes agree; all else is right.",
    ),
)

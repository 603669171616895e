"""The classical mistakes in the δ of networks with gates."""

from rnn.bugs.bug import Bug

__all__ = ["BUGS"]

_DLOGISTIC = "return s * (1 - s)"
_SUMS = "sums = gradients({}, x, hs, "
_LATER = "sums = gradients({}, x, np.roll(hs, -1, axis=0), "

_DH = "dh[t] = dE[t] + back_h"
_DC = "dc[t] = m * dh[t] * o * (1 - tanh_c**2) + back_c"
_BACK_C = "back_c = np.where(m, dc[t] * f, dc[t])"
_LSTM = (
    Bug(
        "output gate forgotten on the way to the cell",
        ("lstm",),
        _DC,
        _DC.replace(" * o ", " "),
        "dc^T",
        "One goes from h to c through the tanh alone, but h = o ⊙ tanh(c): what o lets "
        "out going forward is what it lets in going back. dc comes out too large.",
    ),
    Bug(
        "tanh of the cell forgotten",
        ("lstm",),
        _DC,
        _DC.replace(" * (1 - tanh_c**2)", ""),
        "dc^T",
        "One takes h for o ⊙ c and leaves 1 − tanh²(c) out. While |c| is small nothing "
        "shows; as the cell fills, dc is more and more too large.",
    ),
    Bug(
        "slope of the cell at the wrong argument",
        ("lstm",),
        _DC,
        _DC.replace("tanh_c", "c[t + 1]"),
        "dc^T",
        "One writes 1 − c² for 1 − tanh²(c), as if c were the tanh already. The cell is "
        "not bounded by 1, so the slope may even change its sign.",
    ),
    Bug(
        "derivative of the gates forgotten",
        ("lstm",),
        _DLOGISTIC,
        "return 1",
        "δ_o^T",
        "One stops at the gate and forgets σ' on the way to its field, the o(1 − o) of "
        "δ_o. It is at most 1/4, so δ_i, δ_f and δ_o are at least four times too large.",
    ),
    Bug(
        "cell for its tanh in the output gate",
        ("lstm",),
        "delta_o = dh[t] * tanh_c",
        "delta_o = dh[t] * c[t + 1]",
        "δ_o^T",
        "One multiplies by c what o multiplied as tanh(c). Only δ_o is wrong at T, and "
        "all that comes through it before.",
    ),
    Bug(
        "new cell for old in the forget gate",
        ("lstm",),
        "delta_f = dc[t] * c[t]",
        "delta_f = dc[t] * c[t + 1]",
        "δ_f^T",
        "One pairs f^t with the cell that it makes, c^t, not with c^{t−1}, which it "
        "multiplied. The shapes agree, and dc and the other δ of step T are right.",
    ),
    Bug(
        "candidate differentiated as a gate",
        ("lstm",),
        "delta_g = dc[t] * i * (1 - g**2)",
        "delta_g = dc[t] * i * _dlogistic(g)",
        "δ_g^T",
        "One treats all four alike, g(1 − g) included, but g is a tanh: its slope is "
        "1 − g². Where g is negative even the sign of δ_g is wrong.",
    ),
    Bug(
        "path along the state forgotten",
        ("lstm",),
        _DH,
        "dh[t] = dE[t]",
        "dh^{T-1}",
        "One sends errors back along the cell alone and forgets that h^t enters all four "
        "fields of step t + 1: δ_v^{t+1} W_hh is missing. All of step T is right.",
    ),
    Bug(
        "path along the cell forgotten",
        ("lstm",),
        _DC,
        _DC.removesuffix(" + back_c"),
        "dc^{T-1}",
        "One treats the cell as if it were made anew at each step and leaves "
        "dc^{t+1} ⊙ f^{t+1} out: the very path that lets an LSTM remember.",
    ),
    Bug(
        "forget gate of the wrong step",
        ("lstm",),
        _BACK_C,
        _BACK_C.replace("* f,", "* gates[max(t - 1, 0)][1],"),
        "dc^{T-1}",
        "One writes dc^{t+1} ⊙ f^t. Between c^t and c^{t+1} lies the gate of the later "
        "step, f^{t+1}. Where the gates hardly move it goes unseen.",
    ),
    Bug(
        "state off by one",
        ("lstm",),
        _SUMS.format("delta_v, delta_v"),
        _LATER.format("delta_v, delta_v"),
        "∂E/∂weight_hh",
        "One pairs δ_v^t with h^t, not with h^{t−1}, which W_hh multiplied. All δ are "
        "right and only ∂E/∂W_hh is wrong.",
    ),
    Bug(
        "initial cell without its gate",
        ("lstm",),
        '"c0": back_c',
        '"c0": dc[0]',
        "∂E/∂c0",
        "One takes dc^1 for the gradient of c^0, but between the two lies f^1: "
        "∂E/∂c^0 = dc^1 ⊙ f^1. All else is right.",
    ),
)

_R = "delta_r = delta_n * m"
_BACK = "back = inside * z + of_h[t] @ W_hh"
_GRU = (
    Bug(
        "z and 1 − z swapped",
        ("gru",),
        "r, z, n, m = gates[t]\n",
        "r, z, n, m = gates[t]\n        z = 1 - z\n",
        "δ_n^T",
        "One goes back through h' = z ⊙ n + (1 − z) ⊙ h, as some papers write it, where "
        "the network went forward through (1 − z) ⊙ n + z ⊙ h. Near z = 1/2 it hides.",
    ),
    Bug(
        "tanh of the candidate forgotten",
        ("gru",),
        "(1 - z) * (1 - n**2)",
        "(1 - z)",
        "δ_n^T",
        "One stops at n and forgets 1 − n² on the way to its field. δ_n is too large, "
        "and with it δ_r and all that comes before.",
    ),
    Bug(
        "sign of the update gate",
        ("gru",),
        "(h[t] - n)",
        "(n - h[t])",
        "δ_z^T",
        "One takes z for the part that is new. In (1 − z) ⊙ n + z ⊙ h it is the part "
        "that stays, so the slope is h − n. Only δ_z is wrong at T, by its sign.",
    ),
    Bug(
        "new state in the update gate",
        ("gru",),
        "(h[t] - n)",
        "(h[t + 1] - n)",
        "δ_z^T",
        "One takes the state after the step for the one before: h' − n is z ⊙ (h − n), "
        "so that δ_z comes out too small by the factor z.",
    ),
    Bug(
        "derivative of the gates forgotten",
        ("gru",),
        _DLOGISTIC,
        "return 1",
        "δ_z^T",
        "One stops at the gate and forgets σ' on the way to its field, the z(1 − z) of "
        "δ_z. It is at most 1/4, so δ_z and δ_r are at least four times too large.",
    ),
    Bug(
        "factor of the reset gate forgotten",
        ("gru",),
        _R,
        "delta_r = delta_n",
        "δ_r^T",
        "One forgets that r stands in the product r ⊙ m, and so that its slope is m. "
        "δ_n and δ_z are right at T, δ_r is not.",
    ),
    Bug(
        "reset gate on the state",
        ("gru",),
        _R,
        "delta_r = delta_n * h[t]",
        "δ_r^T",
        "One lets r multiply h, as the first paper does. Here it multiplies "
        "m = h W_hnᵀ + b_hn, after the matrix: the slope of r is m and not h.",
    ),
    Bug(
        "reset gate forgotten on the way back",
        ("gru",),
        "delta_m = delta_n * r",
        "delta_m = delta_n",
        "δ_m^T",
        "One sends δ_n as it is through W_hn, but r stands between the two: the field m "
        "gets δ_n ⊙ r. ∂E/∂W_hn and ∂E/∂b_hn are wrong with it, ∂E/∂W_in is right at T.",
    ),
    Bug(
        "path along the state forgotten",
        ("gru",),
        _BACK,
        "back = of_h[t] @ W_hh",
        "dh^{T-1}",
        "One goes back through the gates alone and leaves dh' ⊙ z out, the part of the "
        "state that was kept: the very path that lets a GRU remember.",
    ),
    Bug(
        "path through the gates forgotten",
        ("gru",),
        _BACK,
        "back = inside * z",
        "dh^{T-1}",
        "One takes the state to go back along z alone and forgets that it enters the "
        "fields of r, z and n at the next step too. All of step T is right.",
    ),
    Bug(
        "state off by one",
        ("gru",),
        _SUMS.format("of_x, of_h"),
        _LATER.format("of_x, of_h"),
        "∂E/∂weight_hh",
        "One pairs δ^t with h^t, not with h^{t−1}, which W_hh multiplied. All δ are "
        "right and only ∂E/∂W_hh is wrong.",
    ),
)

BUGS: tuple[Bug, ...] = (*_LSTM, *_GRU)

"""Autonomous networks: energies that fall, gradients that are differences of moments."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st
from oracles import complex_step

import rnn.energy
import viz
from autograd import Tensor, grad
from rnn import (
    BoltzmannMachine,
    Hopfield,
    RestrictedBoltzmannMachine,
    bars_and_stripes,
    capacity_curve,
    contrast,
    deltas,
    fit_boltzmann,
    load,
    optim,
    save,
)
from rnn.binary import all_states, pair_energy

seeds = st.integers(0, 2**32 - 1)
TOLERANCE = 1e-10


def spins(rng, *shape):
    return rng.choice([-1.0, 1.0], shape)


def glass(rng, N):
    """A Hopfield network of random weights; at times tenths, so that fields tie."""
    network = Hopfield(N)
    if rng.random() < 0.5:
        W, b = rng.normal(size=(N, N)), rng.normal(size=N)
    else:
        W, b = 0.1 * rng.integers(-3, 4, (N, N)), 0.1 * rng.integers(-3, 4, N)
    W = np.triu(W, 1)
    network.load_state_dict({"W": W + W.T, "b": b})
    return network, spins(rng, N)


@st.composite
def machines(draw, kinds=("rbm", "boltzmann")):
    """(machine, rng): a small one with random parameters, biases included."""
    rng = np.random.default_rng(draw(seeds))
    V, H = draw(st.integers(1, 5)), draw(st.integers(0, 4))
    if draw(st.sampled_from(kinds)) == "rbm":
        machine = RestrictedBoltzmannMachine(V, H + 1)
    else:
        machine = BoltzmannMachine(V, H)
    for p in machine.parameters().values():
        p.data = rng.normal(size=p.shape)
    return machine, rng


def energies(machine, s):
    """E(s) of whole states, written apart from the machines."""
    V, p = machine.visible, machine.state_dict()
    if "W" in p:
        v, h = s[:, :V], s[:, V:]
        return -np.einsum("nj,ji,ni->n", h, p["W"], v) - v @ p["b"] - h @ p["c"]
    i, j = np.triu_indices(s.shape[1], 1)
    return -(s[:, i] * s[:, j]) @ p["w"] - s @ p["b"]


def distribution(machine):
    """All states (2^N, N) and their probabilities."""
    s = all_states(machine.visible + machine.hidden)
    p = np.exp(-energies(machine, s))
    return s, p / p.sum()


def oracle(machine, data):
    restricted = isinstance(machine, RestrictedBoltzmannMachine)
    return (deltas.rbm if restricted else deltas.boltzmann)(machine.state_dict(), data)


def gradients(machine, E):
    machine.zero_grad()
    E.backward()
    return {name: p.grad for name, p in machine.parameters().items()}


def assert_moments(found, expected):
    """Relative to 1, the largest that a moment of {0, 1} can be."""
    for name, value in found.items():
        np.testing.assert_allclose(value, expected[name], rtol=0, atol=TOLERANCE)


# Hopfield


@given(seeds, st.integers(1, 9), st.integers(1, 3))
def test_the_field_is_what_the_formula_says(seed, N, B):
    rng = np.random.default_rng(seed)
    network, _ = glass(rng, N)
    s = spins(rng, B, N)
    W, b = network.W.data, network.b.data
    np.testing.assert_allclose(network.field(s), s @ W + b, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(network.field(s[0]), s[0] @ W + b, rtol=1e-12, atol=1e-12)
    by_hand = [-0.5 * r @ W @ r - b @ r for r in s]
    np.testing.assert_allclose(network.energy(s), by_hand, rtol=1e-12, atol=1e-12)
    recorded = network.energy(Tensor(s))
    assert isinstance(recorded, Tensor) and recorded.shape == (B,)


@given(seeds, st.integers(1, 12))
@example(16991642, 12)  # starts at an energy of zero, but for rounding
def test_asynchronous_recall_never_raises_the_energy(seed, N):
    network, s = glass(np.random.default_rng(seed), N)
    found = network.recall(s, rng=seed)
    np.testing.assert_array_equal(found.states[0], s)
    np.testing.assert_array_equal(np.sum(np.diff(found.states, axis=0) != 0, axis=1), 1)
    each = [network.energy(x) for x in found.states]
    np.testing.assert_allclose(found.energies, each, rtol=0, atol=1e-12)
    assert np.all(np.diff(found.energies) < -1e-12)
    # Each step pays 2|h_i| of the field before it: the one kept up to date is right.
    before, after = found.states[:-1], found.states[1:]
    paid = np.sum((after - before) * network.field(before), axis=1)
    np.testing.assert_allclose(np.diff(found.energies), -paid, atol=1e-9)
    assert found.outcome == "fixed point"
    assert np.all(network.field(found.state) * found.state >= -1e-9)


@given(seeds, st.integers(1, 8))
def test_synchronous_recall_ends_in_a_fixed_point_or_a_cycle_of_two(seed, N):
    network, s = glass(np.random.default_rng(seed), N)
    found = network.recall(s, "synchronous", max_sweeps=2**N + 1)

    def step(x):
        h = np.round(x @ network.W.data + network.b.data, 9)
        return np.where(h == 0, x, np.sign(h))

    for before, after in zip(found.states, found.states[1:], strict=False):
        np.testing.assert_array_equal(step(before), after)
    if found.outcome == "cycle":
        assert not np.array_equal(found.state, found.states[-2])
        np.testing.assert_array_equal(step(found.state), found.states[-2])
    else:
        assert found.outcome == "fixed point"
        np.testing.assert_array_equal(step(found.state), found.state)


def test_two_units_that_copy_each_other_go_round():
    network = Hopfield(2)
    network.load_state_dict({"W": np.array([[0, 1], [1, 0]]), "b": np.zeros(2)})
    found = network.recall([1, -1], "synchronous")
    assert (found.outcome, found.sweeps, len(found.states)) == ("cycle", 2, 2)
    limited = network.recall([1, -1], "synchronous", max_sweeps=1)
    assert (limited.outcome, limited.sweeps) == ("limit", 1)
    assert network.recall([1, -1], rng=0).outcome == "fixed point"


@given(seeds, st.integers(1, 12), st.integers(1, 14))
@example(0, 9, 14)  # they span all states: W is zero, but for rounding
def test_the_pseudo_inverse_keeps_every_pattern(seed, N, P):
    rng = np.random.default_rng(seed)
    network, patterns = Hopfield(N), spins(rng, P, N)
    network.store(patterns, "pseudo-inverse")
    _, size, axes = np.linalg.svd(patterns, full_matrices=False)
    projection = axes[size > 1e-9].T @ axes[size > 1e-9]
    np.fill_diagonal(projection, 0)
    np.testing.assert_allclose(network.W.data, projection, rtol=0, atol=1e-12)
    for pattern in patterns:
        for mode in ("asynchronous", "synchronous"):
            assert len(network.recall(pattern, mode, rng=0).states) == 1
    np.testing.assert_array_equal(network.settle(patterns, rng=0), patterns)


@given(seeds, st.integers(1, 3))
def test_hebbian_patterns_far_below_capacity_come_back_from_noise(seed, P):
    rng = np.random.default_rng(seed)
    network, patterns = Hopfield(200), spins(rng, P, 200)
    network.store(patterns)
    noisy = patterns.copy()
    noisy[:, rng.permutation(200)[:20]] *= -1
    np.testing.assert_array_equal(network.settle(patterns, rng), patterns)
    np.testing.assert_array_equal(network.settle(noisy, rng), patterns)
    np.testing.assert_array_equal(network.recall(noisy[0], rng=rng).state, patterns[0])


@given(seeds, st.integers(1, 6), st.integers(1, 4))
def test_hebbs_rule_is_a_step_down_the_energy_of_the_patterns(seed, N, P):
    """ΔW = −(2/N) ∂/∂W Σ_μ E(ξ^μ), but for the diagonal."""
    network, patterns = Hopfield(N), spins(np.random.default_rng(seed), P, N)
    network.store(patterns)
    slope = grad(lambda W: np.sum(pair_energy(patterns, W, np.zeros(N))))(
        np.zeros((N, N))
    )
    off = ~np.eye(N, dtype=bool)
    np.testing.assert_allclose(network.W.data[off], -2 / N * slope[off], atol=1e-15)
    assert not np.diag(network.W.data).any()


def test_many_states_settle_where_each_would():
    """With one order for all, since the seed is the same, up to when each has settled."""
    rng = np.random.default_rng(0)
    network, _ = glass(rng, 30)
    s = spins(rng, 20, 30)
    for row, end in zip(s, network.settle(s, rng=1), strict=True):
        np.testing.assert_array_equal(network.recall(row, rng=1).state, end)


def test_recall_collapses_near_the_known_capacity():
    low, at, high = capacity_curve(400, [0.05, 0.13, 0.25], trials=2, rng=0).mean(axis=1)
    assert low > 0.999 and at > 0.94 and high < 0.5
    np.testing.assert_array_equal(capacity_curve(50, [0.5], rule=RULE, rng=0), [[1]])


RULE = "pseudo-inverse"


# Boltzmann machines


@given(machines())
def test_the_free_energy_sums_over_the_hidden_states(case):
    machine, _ = case
    V, H = machine.visible, machine.hidden
    v = all_states(V)
    rows = [np.hstack([np.tile(x, (2**H, 1)), all_states(H)]) for x in v]
    expected = [-np.log(np.sum(np.exp(-energies(machine, s)))) for s in rows]
    np.testing.assert_allclose(machine.free_energy(v).data, expected, rtol=0, atol=1e-12)
    one = machine.free_energy(v[-1]).item()
    assert one == pytest.approx(expected[-1], abs=1e-12)
    s = np.concatenate(rows)
    own = (
        machine.energy(s[:, :V], s[:, V:]) if hasattr(machine, "c") else machine.energy(s)
    )
    np.testing.assert_allclose(own.data, energies(machine, s), rtol=0, atol=1e-12)
    Z = np.sum(np.exp(-energies(machine, s)))
    assert machine.log_partition().item() == pytest.approx(np.log(Z), abs=1e-12)


@given(machines(), st.integers(1, 5))
def test_the_likelihoods_gradient_is_the_moments_difference(case, B):
    machine, rng = case
    data = rng.integers(2, size=(B, machine.visible))
    likelihood, expected = machine.log_likelihood(data), oracle(machine, data)
    found = gradients(machine, likelihood)
    assert set(expected) == {*found, "log_likelihood"}
    assert_moments(found, expected)
    assert likelihood.item() == pytest.approx(expected["log_likelihood"], abs=TOLERANCE)


@given(machines())
def test_the_oracle_is_the_complex_step(case):
    machine, rng = case
    data = rng.integers(2, size=(3, machine.visible)).astype(float)
    parameters = machine.state_dict()
    directions = [rng.normal(size=x.shape) for x in parameters.values()]
    restricted = "W" in parameters
    s, N = all_states(machine.visible + machine.hidden), machine.visible + machine.hidden
    i, j = np.triu_indices(N, 1)

    def likelihood(*values):
        p = dict(zip(parameters, values, strict=True))
        if restricted:
            v, h = s[:, : machine.visible], s[:, machine.visible :]
            E = -np.sum((h @ p["W"]) * v, axis=1) - v @ p["b"] - h @ p["c"]
        else:
            E = -(s[:, i] * s[:, j]) @ p["w"] - s @ p["b"]
        rows = [np.all(s[:, : machine.visible] == x, axis=1) for x in data]
        own = [np.log(np.sum(np.exp(-E[row]))) for row in rows]
        return np.mean(own) - np.log(np.sum(np.exp(-E)))

    expected, found = complex_step(likelihood, parameters.values(), directions), 0
    for u, name in zip(directions, parameters, strict=True):
        found += np.sum(u * oracle(machine, data)[name])
    assert found == pytest.approx(expected, abs=1e-11)


@pytest.mark.parametrize(("hidden", "part"), [(3, 3), (3, 7), (7, 31)])
def test_many_states_are_summed_in_parts(monkeypatch, hidden, part):
    """With the same gradient, whichever layer is the smaller."""
    machine, rng = RestrictedBoltzmannMachine(5, hidden, rng=0), np.random.default_rng(0)
    data = rng.integers(2, size=(4, 5))
    whole = gradients(machine, machine.log_likelihood(data))
    monkeypatch.setattr(rnn.energy, "CHUNK", part)
    assert_moments(gradients(machine, machine.log_likelihood(data)), whole)


class Fixed:
    """A generator whose every draw is u."""

    def __init__(self, u):
        self.u = u

    def random(self, shape):
        return np.full(shape, self.u)


@given(machines(), st.floats(0.01, 0.99))
def test_a_sweep_follows_the_conditionals_by_enumeration(case, u):
    """Unit after unit, the hidden ones first: s_i = 1 where u < p(1 | the others)."""
    machine, _ = case
    V, N = machine.visible, machine.visible + machine.hidden
    s, p = distribution(machine)
    swept, numbers = machine.sweep(s, Fixed(u)), 2 ** np.arange(N)
    for i in (*range(V, N), *range(V)):
        off = (s @ numbers - s[:, i] * numbers[i]).astype(int)
        s[:, i] = u < p[off + numbers[i]] / (p[off] + p[off + numbers[i]])
    np.testing.assert_array_equal(swept, s)


def transition(machine):
    """(2^V, 2^V): how likely one block sweep leads from one v to another."""
    v, h = all_states(machine.visible), all_states(machine.hidden)
    up, down = machine.p_hidden(v)[:, None], machine.p_visible(h)[:, None]
    to_h = np.prod(np.where(h == 1, up, 1 - up), axis=2)
    to_v = np.prod(np.where(v == 1, down, 1 - down), axis=2)
    np.testing.assert_allclose(to_h.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(to_v.sum(axis=1), 1, rtol=1e-12)
    return to_h @ to_v


@given(machines(kinds=("rbm",)))
def test_contrastive_divergence_approaches_the_likelihoods_gradient(case):
    """CD-k expects ⟨∂F⟩ under k sweeps from the data: enumerated, k = 1, 2, 4 … 2^40."""
    machine, rng = case
    v = all_states(machine.visible)
    data = rng.integers(2, size=(3, machine.visible)).astype(float)
    q = np.mean([np.all(v == x, axis=1) for x in data], axis=0)
    by_state = [gradients(machine, machine.free_energy(x)) for x in v]
    exact, T = oracle(machine, data), transition(machine)
    model = np.exp(-machine.free_energy(v).data - machine.log_partition().item())
    np.testing.assert_allclose(model @ T, model, rtol=1e-9, atol=1e-15)
    for _ in range(40):
        T = T @ T
        T /= T.sum(axis=1, keepdims=True)
    for name in machine.parameters():
        F = np.array([g[name] for g in by_state])
        cd = np.tensordot(q - q @ T, F, 1)
        np.testing.assert_allclose(-cd, exact[name], rtol=0, atol=1e-8)


@pytest.mark.parametrize(
    "machine",
    [
        RestrictedBoltzmannMachine(4, 3),
        BoltzmannMachine(4, 2),
        BoltzmannMachine(5),
    ],
    ids=["restricted", "hidden", "visible"],
)
def test_long_chains_have_the_models_moments(machine):
    """Within five standard errors of 20,000 independent chains, for every pair."""
    rng = np.random.default_rng(0)
    for p in machine.parameters().values():
        p.data = rng.normal(size=p.shape)
    s, p = distribution(machine)
    n = 20_000
    chains = machine.advance(machine.noise(n, rng), 40, rng)
    expected = s.T @ (p[:, None] * s)
    error = np.sqrt(expected * (1 - expected) / n)
    assert np.all(np.abs(chains.T @ chains / n - expected) <= 5 * error)

    data = s[:3, : machine.visible]
    found = gradients(machine, contrast(machine, data, chains[:, : machine.visible]))
    for name, value in oracle(machine, data).items():
        if name in found:
            assert np.max(np.abs(found[name] + value)) <= 5 * 0.5 / np.sqrt(n)


def test_samples_come_from_chains_that_start_anywhere():
    machine = RestrictedBoltzmannMachine(3, 2, rng=0)
    machine.b.data = np.array([50.0, -50.0, 0.0])
    v = machine.sample(1000, 2, rng=0)
    assert v.shape == (1000, 3) and np.all(v[:, 0] == 1) and np.all(v[:, 1] == 0)
    assert 0.4 < v[:, 2].mean() < 0.6
    np.testing.assert_array_equal(machine.sample(1000, 2, rng=0), v)
    assert machine.gibbs(v, 1, rng=0).shape == (1000, 5)


def test_bars_and_stripes_are_each_there_once():
    pictures = bars_and_stripes(2, 3)
    assert pictures.shape == (4 + 8 - 2, 6) and len(np.unique(pictures, axis=0)) == 10
    for picture in pictures.reshape(-1, 2, 3):
        rows, columns = np.ptp(picture, axis=1), np.ptp(picture, axis=0)
        assert not rows.any() or not columns.any()


LEARNERS = {
    "restricted, exact": (RestrictedBoltzmannMachine(9, 8, rng=0), "exact", 1, 0.1, 0.9),
    "restricted, cd": (RestrictedBoltzmannMachine(9, 8, rng=0), "cd", 10, 0.05, 0.75),
    "restricted, pcd": (RestrictedBoltzmannMachine(9, 8, rng=0), "pcd", 5, 0.05, 0.75),
    "boltzmann, exact": (BoltzmannMachine(9, 2, rng=0), "exact", 1, 0.1, 0.9),
    "boltzmann, cd": (BoltzmannMachine(9, rng=0), "cd", 5, 0.05, 0.75),
    "boltzmann, pcd": (BoltzmannMachine(9, 2, rng=0), "pcd", 2, 0.05, 0.75),
}


@pytest.mark.parametrize("name", LEARNERS)
def test_learning_bars_and_stripes(name):
    """That share of the way from −9 log 2, which noise reaches, to the best, −log 14."""
    machine, method, k, lr, share = LEARNERS[name]
    pictures, epochs = bars_and_stripes(3, 3), 1000
    seen = fit_boltzmann(
        machine, pictures, optim.Adam(machine.parameters(), lr), epochs=epochs,
        method=method, k=k, every=200, rng=0,
        schedule=lambda step: optim.cosine(lr, epochs + 1, step),
    )  # fmt: skip
    worst, best = -9 * np.log(2), -np.log(len(pictures))
    assert best > seen.log_likelihood[-1] > worst + share * (best - worst)
    assert seen.epochs == [200, 400, 600, 800, 1000]
    assert seen.reconstruction[-1] < 0.1


@pytest.mark.parametrize("method", ["cd", "pcd", "exact"])
def test_a_run_is_its_seeds(method):
    def run(rng):
        machine = RestrictedBoltzmannMachine(9, 4, rng=0)
        seen = fit_boltzmann(
            machine, bars_and_stripes(3, 3), optim.SGD(machine.parameters(), 0.1),
            epochs=3, method=method, batch_size=5, rng=rng,
        )  # fmt: skip
        return [*seen.reconstruction, *seen.log_likelihood]

    assert run(0) == run(0) != run(1)


def test_too_many_units_leave_out_the_likelihood():
    machine = RestrictedBoltzmannMachine(21, 21, rng=0)
    data = np.random.default_rng(0).integers(2, size=(10, 21))
    sgd = optim.SGD(machine.parameters(), 0.1)
    seen = fit_boltzmann(machine, data, sgd, epochs=2, batch_size=4, rng=0)
    assert seen.log_likelihood == [] and len(seen.reconstruction) == 2


def test_digits_are_learned_better_than_pixel_by_pixel():
    """The likelihood of independent pixels is what the biases alone could reach."""
    datasets = pytest.importorskip("sklearn.datasets")
    digits = (datasets.load_digits().data > 7).astype(float)
    shares = np.clip(digits.mean(axis=0), 1e-3, 1 - 1e-3)
    each = digits * np.log(shares) + (1 - digits) * np.log(1 - shares)
    machine = RestrictedBoltzmannMachine(64, 10, rng=0)
    fit_boltzmann(
        machine, digits, optim.SGD(machine.parameters(), 0.2), epochs=20, method="pcd",
        batch_size=50, every=20, rng=0,
    )  # fmt: skip
    assert machine.log_likelihood(digits).item() > each.sum(axis=1).mean() + 3


# Pictures


def test_plots_of_states_show_what_they_are_given():
    images = np.stack([np.zeros((2, 3)), np.eye(2, 3)])
    figure = viz.samples({"data": images, "one $": images[:1]}, title="t")
    shown = [axes.images[0] for axes in figure.axes if axes.images]
    np.testing.assert_array_equal([x.get_array() for x in shown], [*images, images[0]])
    assert {x.get_clim() for x in shown} == {(0, 1)}  # blank is white, not grey
    assert [t.get_text() for axes in figure.axes for t in axes.texts] == [
        "data",
        r"one \$",
    ]

    network, s = glass(np.random.default_rng(0), 20)
    found = network.recall(s, rng=0)
    levels = {"stored": -3.0}
    figure = viz.recall(
        found.states, found.energies, shape=(4, 5), title="t", levels=levels
    )
    first, *_, last, energy = figure.axes
    np.testing.assert_array_equal(first.images[0].get_array().ravel(), s)
    np.testing.assert_array_equal(last.images[0].get_array().ravel(), found.state)
    np.testing.assert_array_equal(energy.lines[0].get_ydata(), found.energies)
    assert energy.lines[2].get_ydata() == [-3, -3]


def test_plots_of_capacity_and_likelihood():
    axes = viz.capacity([0.1, 0.2], [[1, 0.8], [0.3, 0.1]], title="t").axes[0]
    mean, known = axes.lines
    np.testing.assert_allclose(mean.get_ydata(), [0.9, 0.2])
    assert known.get_xdata() == [0.138, 0.138]
    np.testing.assert_array_equal(
        axes.collections[0].get_offsets(), [[0.1, 1], [0.1, 0.8], [0.2, 0.3], [0.2, 0.1]]
    )
    axes = viz.likelihood([5, 10], {"cd": [-3, -2]}, best=-1.5, title="t").axes[0]
    np.testing.assert_array_equal(axes.lines[0].get_xydata(), [[5, -3], [10, -2]])
    assert axes.lines[1].get_label() == "the best there is, −1.500"


def test_the_example_runs(tmp_path, monkeypatch):
    """With fewer epochs and units."""
    path = Path(__file__).parents[1] / "examples" / "autonomous.py"
    spec = importlib.util.spec_from_file_location("example", path)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    short = {"epochs": 1, "every": 1}
    monkeypatch.setattr(
        example, "fit_boltzmann", lambda *a, **k: fit_boltzmann(*a, **k | short)
    )
    monkeypatch.setattr(
        example, "capacity_curve", lambda size, *a, **k: capacity_curve(20, *a, **k)
    )
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)  # as if it were missing
    found = CliRunner().invoke(example.main, ["--out", str(tmp_path)])
    assert not found.exception
    assert {x.name for x in tmp_path.iterdir()} == {
        "capacity.png", "likelihood.png", "recall.png", "stripes.png"
    }  # fmt: skip


# Files and bad input


@pytest.mark.parametrize(
    "network",
    [Hopfield(3), BoltzmannMachine(2, 1, rng=0), RestrictedBoltzmannMachine(3, 2, rng=0)],
    ids=lambda network: type(network).__name__,
)
def test_a_saved_machine_comes_back(tmp_path, network):
    if isinstance(network, Hopfield):
        network.store([[1, -1, 1]])
    save(network, tmp_path / "model.safetensors")
    again, _ = load(tmp_path / "model.safetensors")
    assert repr(again) == repr(network)
    for name, value in network.state_dict().items():
        np.testing.assert_array_equal(again.state_dict()[name], value)


def changed(network, W):
    network.W.data = np.array(W, float)
    return network


def learn(**options):
    machine = RestrictedBoltzmannMachine(2, 1, rng=0)
    given = {"data": [[0, 1]], "epochs": 1} | options
    return fit_boltzmann(machine, optimizer=optim.SGD(machine.parameters(), 0.1), **given)


BAD = [
    (lambda: Hopfield(0), "Hopfield: size=0, expected at least 1, a whole number"),
    (
        lambda: Hopfield(2).store([[1, 0]]),
        r"states have 0 at \[0, 1\], expected -1 and 1",
    ),
    (lambda: Hopfield(2).store([[1, 1]], "hebb"), "rule='hebb', expected hebbian or"),
    (lambda: Hopfield(2).store([1, -1]), r"\(2,\), expected \(B, N\) with N = 2"),
    (lambda: Hopfield(2).store(np.ones((0, 2))), "B of at least 1"),
    (lambda: Hopfield(2).recall([1, 1, 1]), r"Hopfield.recall: states have shape"),
    (lambda: Hopfield(2).recall([1, np.nan]), r"states have nan at \[0, 1\]"),
    (lambda: Hopfield(2).recall([1, 1], "both"), "mode='both', expected asynchronous or"),
    (lambda: Hopfield(2).recall([1, 1], max_sweeps=0), "max_sweeps=0"),
    (lambda: Hopfield(2).settle([[0, 1]]), "2 \\* s - 1"),
    (lambda: Hopfield(2).energy(np.ones(3)), r"s has shape \(3,\), expected \(…, N\)"),
    (lambda: Hopfield(2).field(np.ones(3)), r"s has shape \(3,\), expected \(…, N\)"),
    (
        lambda: changed(Hopfield(2), [[0, 1], [2, 0]]).recall([1, 1]),
        r"W is not symmetric: W\[0, 1\] = 1.0, W\[1, 0\] = 2.0.*\(W \+ W.T\) / 2",
    ),
    (
        lambda: changed(Hopfield(2), [[0, 1], [1, 3]]).settle([[1, 1]]),
        r"W has a diagonal: W\[1, 1\] = 3.0",
    ),
    (
        lambda: Hopfield(2).load_state_dict({"W": [[0, 1], [2, 0]], "b": [0, 0]}),
        "W is not symmetric",
    ),
    (lambda: Hopfield(2).load_state_dict({"W": [[0]], "b": [0, 0]}), "W has shape"),
    (lambda: Hopfield(2).load_state_dict({"b": [0, 0]}), "W is missing"),
    (lambda: capacity_curve(9, [0.1], trials=0), "trials=0"),
    (lambda: RestrictedBoltzmannMachine(0, 1), "visible=0"),
    (
        lambda: RestrictedBoltzmannMachine(1, 0),
        "hidden=0, expected at least 1",
    ),
    (lambda: BoltzmannMachine(1, -1), "hidden=-1, expected at least 0, a whole number"),
    (lambda: BoltzmannMachine(2.5), "visible=2.5"),
    (
        lambda: RestrictedBoltzmannMachine(2, 1).log_likelihood([[-1, 1]]),
        r"log_likelihood: states have -1 at \[0, 0\], expected 0 and 1.*\(s \+ 1\) / 2",
    ),
    (lambda: BoltzmannMachine(2).gibbs([[0, 0.5]], 1), "have 0.5 at .* x > 0.5"),
    (lambda: BoltzmannMachine(2).gibbs([[0, 1, 1]], 1), r"\(1, 3\), expected \(B, N\)"),
    (lambda: BoltzmannMachine(2).gibbs([[0, 1]], 0), "gibbs: steps=0"),
    (lambda: BoltzmannMachine(2).sample(0, 1), "BoltzmannMachine.sample: n=0"),
    (lambda: BoltzmannMachine(2).sample(1, 0), "steps=0"),
    (
        lambda: RestrictedBoltzmannMachine(30, 21).log_partition(),
        "RestrictedBoltzmannMachine.log_partition: 21 units.*at most 20. Take fewer",
    ),
    (lambda: BoltzmannMachine(15, 6).log_partition(), "log_partition: 21 units"),
    (
        lambda: BoltzmannMachine(1, 21).free_energy(np.ones((1, 1))),
        "BoltzmannMachine.free_energy: 21 units",
    ),
    (lambda: bars_and_stripes(0, 2), "bars_and_stripes: height=0"),
    (lambda: learn(k=0), "fit_boltzmann: k=0, expected at least 1, a whole number"),
    (lambda: learn(epochs=0), "epochs=0"),
    (lambda: learn(batch_size=0), "batch_size=0"),
    (lambda: learn(every=0), "every=0"),
    (lambda: learn(chains=0), "chains=0"),
    (lambda: learn(method="ml"), "method='ml', expected one of exact, cd, pcd"),
    (lambda: learn(data=[[0, 2]]), "fit_boltzmann: states have 2"),
]


@pytest.mark.parametrize(("call", "match"), BAD, ids=[match for _, match in BAD])
def test_wrong_calls_say_what_is_wrong(call, match):
    with pytest.raises(ValueError, match=match):
        call()


def test_learning_that_diverges_says_so():
    machine = RestrictedBoltzmannMachine(2, 1, rng=0)
    machine.b.data = np.full(2, np.nan)
    sgd = optim.SGD(machine.parameters(), 0.1)
    with pytest.raises(FloatingPointError, match="lower the learning rate"):
        fit_boltzmann(machine, [[0, 1]], sgd, epochs=1, rng=0)

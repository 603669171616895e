"""What `compile` finds of random numbers and of the time, whatever two runs gave."""

import cProfile
import datetime
import functools
import gc
import logging
import os
import random
import secrets
import sys
import threading
import time
import types
import uuid
from contextvars import ContextVar
from itertools import count

import numpy as np
import pytest

from autograd import checkpoint, compile, fresh, grad, steady, value_and_grad

X = np.array([1.0, 2.0, 3.0])
SHARED = np.random.default_rng(3)
CONTEXT = ContextVar("CONTEXT")
CONTEXT.set(np.random.default_rng(6))
helpers = types.ModuleType("helpers_of_test_chance")
exec("def noisy():\n    return rng.random()", vars(helpers))
helpers.rng = np.random.default_rng(5)
sys.modules[helpers.__name__] = helpers


class Noisy:
    """Holds generators of all sorts."""

    shared = np.random.default_rng(1)

    def __init__(self):
        self.rng = np.random.default_rng(2)
        self.nested = {"list": [np.random.RandomState(1)]}
        self.python = random.Random(3)
        self.seeds = np.random.SeedSequence(5)

    def draw(self):
        return self.rng.random()

    @property
    def property(self):
        return self.rng.random()

    def __call__(self, x):
        return switched(x, self.draw())


def switched(x, number):
    """A function of x that a random number below or above ½ turns into another."""
    return np.sum(x**2) * (2.0 if number < 0.5 else 1.0)


def numbers(rng):
    while True:
        yield rng.random()


def drawing():
    rng, noisy = np.random.default_rng(0), Noisy()
    bits, stream = np.random.PCG64(4), numbers(np.random.default_rng(9))
    normal, system = np.random.default_rng(8).normal, random.SystemRandom()
    mapped = (SHARED.random() for _ in count())
    draws = {
        "closure": rng.random,
        "global": lambda: SHARED.random(),
        "globals()": lambda: globals()["SHARED"].random(),
        "eval": lambda: eval("SHARED").random(),
        "context": lambda: CONTEXT.get().random(),
        "class": lambda: Noisy.shared.random(),
        "attribute": lambda: noisy.rng.random(),
        "method": lambda: noisy.draw(),
        "property": lambda: noisy.property,
        "nested": lambda: noisy.nested["list"][0].rand(),
        "generator function": lambda: next(stream),
        "map": lambda: next(mapped),
        "bound method": lambda: normal(),
        "bits": lambda: bits.random_raw() % 2,
        "module": lambda: helpers.rng.random(),
        "function of a module": lambda: helpers.noisy(),
        "imported inside": lambda: __import__(helpers.__name__) and helpers.noisy(),
        "integers": lambda: rng.integers(2),
        "permutation": lambda: rng.permutation(2)[0],
        "np.random.normal": lambda: np.random.normal(),
        "np.random.rand": lambda: np.random.rand(),
        "np.random.seed()": lambda: np.random.seed() or np.random.rand(),
        "spawned seeds": lambda: np.random.default_rng(noisy.seeds.spawn(1)[0]).random(),
        "spawned": lambda: rng.spawn(1)[0].random(),
        "random.random": lambda: random.random(),
        "random.gauss": lambda: random.gauss(0, 1),
        "random.choice": lambda: random.choice([0, 1]),
        "random.Random": lambda: noisy.python.random(),
    }
    asking = {
        "default_rng()": lambda: np.random.default_rng().random(),
        "RandomState()": lambda: np.random.RandomState().rand(),
        "Random()": lambda: random.Random().random(),
        "SystemRandom": lambda: system.random(),
        "urandom": lambda: os.urandom(1)[0] / 256,
        "secrets": lambda: secrets.randbelow(2),
        "uuid4": lambda: uuid.uuid4().int % 2,
        "uuid1": lambda: uuid.uuid1().int % 2,
    }
    timing = {
        "time": lambda: int(time.time()) % 2,
        "perf_counter": lambda: int(time.perf_counter()) % 2,
        "clock_gettime": lambda: time.clock_gettime(time.CLOCK_REALTIME) % 1,
        "strftime": lambda: int(time.strftime("%H")) / 24,
        "localtime": lambda: time.localtime().tm_hour / 24,
        "now": lambda: datetime.datetime.now().hour / 24,
        "today": lambda: datetime.date.today().day / 31,
    }
    return {
        name: (draw, message)
        for group, message in (
            (draws, "draws random numbers"),
            (asking, "asks the system for random"),
            (timing, "reads the time"),
        )
        for name, draw in group.items()
    }


@pytest.mark.parametrize("case", drawing())
def test_random_switches_are_refused_whatever_two_draws_give(case):
    for _ in range(3):  # one time in two, both draws fall on the same side
        draw, message = drawing()[case]

        def f(x, draw=draw):
            return switched(x, draw())

        with pytest.raises(ValueError, match=rf"compile: f {message}.*`fresh`"):
            compile(f)(X)


@pytest.mark.parametrize(
    "wrap",
    [
        grad,
        value_and_grad,
        checkpoint,
        functools.partial,
        lambda f: lambda x: next(f(x) for _ in "ab"),
    ],
)
def test_random_switches_are_refused_within_other_functions(wrap):
    noisy = Noisy()
    for f in (noisy, lambda x: noisy(x)):
        with pytest.raises(ValueError, match="draws random numbers"):
            compile(wrap(f))(X)


def lazily():
    found = {}

    def f(x):
        if "noise" not in found:
            found["noise"] = SHARED.random()
        return np.sum(x * found["noise"])

    return f


def logged(x):
    logging.getLogger("test_chance").debug("x has %d elements", x.size)
    return np.sum(x)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(x * np.random.default_rng(0).normal(size=3)),
        lambda x: np.sum(x * (np.random.seed(0) or np.random.rand(3))),
        lambda x: np.sum(x) * random.Random(0).random(),
        lambda x: np.sum(x) * (steady(lambda: time.time() > 0) + 1),
        lazily(),
        logged,
    ],
)
def test_what_gives_the_same_in_every_run_is_recorded(f):
    compiled, expected = compile(f), f(X)
    for _ in range(3):
        assert compiled(X).item() == expected.item()


def test_a_refusal_leaves_generators_usable_and_gradients_alone():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="draws random"):
        compile(lambda x: x * rng.random())(X)
    assert sys.getprofile() is None
    compiled = compile(lambda x: x * fresh(lambda: rng.random(3)))
    assert not np.array_equal(compiled(X), compiled(X))


def test_generators_of_other_threads_do_not_count():
    stop, own = threading.Event(), np.random.default_rng(0)

    def draw():
        while not stop.is_set():
            own.random()

    thread = threading.Thread(target=draw)
    thread.start()
    try:
        assert compile(lambda x: np.sum(x * 2.0))(X).item() == 12.0
    finally:
        stop.set()
        thread.join()


def test_a_profiler_goes_on():
    seen = []

    def profile(frame, event, arg):
        seen.append(event)

    sys.setprofile(profile)
    try:
        compile(lambda x: np.sum(x * 2.0))(X)
        assert sys.getprofile() is profile
    finally:
        sys.setprofile(None)
    assert seen


def test_random_switches_are_refused_beside_a_profiler():
    sys.setprofile(lambda frame, event, arg: None)
    try:
        with pytest.raises(ValueError, match="reads the time"):
            compile(lambda x: switched(x, time.time()))(X)
        with pytest.raises(ValueError, match="asks the system for random"):
            compile(lambda x: switched(x, os.urandom(1)[0] / 256))(X)
    finally:
        sys.setprofile(None)


def test_random_switches_are_refused_under_cprofile():
    with cProfile.Profile() as profiler:
        with pytest.raises(ValueError, match="reads the time"):
            compile(lambda x: switched(x, time.time()))(X)
        sorted([2, 1])
    assert any("sorted" in str(entry.code) for entry in profiler.getstats())


def test_a_collector_that_takes_its_own_time_does_not_count():
    def timed(phase, info):
        time.perf_counter()

    def f(x):
        gc.collect()
        return np.sum(x * 2)

    gc.callbacks.append(timed)
    try:
        assert compile(f)(np.ones(3)).item() == 6
    finally:
        gc.callbacks.remove(timed)

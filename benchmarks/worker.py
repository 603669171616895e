"""Sides of the comparison, in a process of their own: `worker.py ours|rivals THREADS`.

A line of a side and a case comes in; its seconds, or null where there is no such case, go
out. So two sides, which may not share an interpreter or a number of threads, take turns.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time

__all__ = ["OURS"]

OURS = ("called", "compiled", "recorded", "by hand")


def main() -> None:
    """Answer every line of standard input with one of standard output."""
    whose, threads = sys.argv[1], int(sys.argv[2])
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ[f"{library}_NUM_THREADS"] = str(threads)
    if threads == 1:
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    if whose == "ours":
        sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        from benchmarks.cases import work
    else:
        from rivals import work

    ready, now = {}, None
    for line in sys.stdin:
        side, case = line.rstrip("\n").split("\t")
        if case != now:
            ready.clear()
            now = case
        if side not in ready:
            run = work(side, case, threads)
            ready[side] = run and (run, repeats(run))
        found = ready[side] and seconds(*ready[side])
        sys.stdout.write(f"{json.dumps(found)}\n")
        sys.stdout.flush()


def repeats(run) -> int:
    """How often, so that a turn takes a thirtieth of a second or more."""
    for _ in range(24):  # whatever is made ready in the first calls is
        once = seconds(run, 1)
    return max(1, int(0.03 / once))


def seconds(run, times: int) -> float:
    gc.collect()
    start = time.perf_counter()
    for _ in range(times):
        run()
    return (time.perf_counter() - start) / times


if __name__ == "__main__":
    main()

"""The classical mistakes of backpropagation through time, each ready to be planted.

A `Bug` is some text of the oracle, `rnn.deltas`, as it is and as somebody wrote it.
Planted, it gives the wrong gradients that this somebody sees.
"""

from rnn.bugs import gated, simple
from rnn.bugs.bug import Bug, first_difference

__all__ = ["BUGS", "Bug", "first_difference"]

BUGS: tuple[Bug, ...] = (*simple.BUGS, *gated.BUGS)
"""For each network sorted by what goes wrong first."""

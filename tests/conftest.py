"""Hypothesis profiles: `pytest` runs "quick"; `HYPOTHESIS_PROFILE=deep pytest` hunts."""

import os

from hypothesis import HealthCheck, Phase, settings

settings.register_profile("quick", max_examples=30, deadline=None)
settings.register_profile("ci", max_examples=50, deadline=None, derandomize=True)
settings.register_profile(
    "deep", max_examples=3000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
# For tests/mutants.py, which asks whether a test fails and not how to fail it shortly.
settings.register_profile(
    "mutants",
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

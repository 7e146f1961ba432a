"""Seeding a simulated organization from YAML: a desired state as if it had been applied, and what is wrong with it.

Nothing here calls an API: state is written as it is to be, so a thousand accounts take no time.
"""

from controller.sandbox.seed.reading import Seed, read
from controller.sandbox.seed.sowing import seeded, sow

__all__ = ["Seed", "read", "seeded", "sow"]

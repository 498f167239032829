"""A deterministic simulator of a shop in trouble: the production engine, journal and client, unpatched, on simulated
time, with a provider that fails, a journal that fails, and processes that die anywhere.

    python -m punktgenau.testing.simulator --histories 10000

Everything that happens follows from a seed. After each history all is healed, and the invariants are checked by plain
SQL on the journal and on the provider's own books. What is real: engine, journal (SQLite, in a file in memory), client,
the sandbox's ledger. What is not: time, the network's bytes, the disk. Each process of the shop has one thread; that
threads of one process share a client is left to other tests.

Needs the extras `punktgenau[checkout,testing]`.
"""

from punktgenau.testing.simulator.plans import Plan
from punktgenau.testing.simulator.runner import Tally, ground, history, run
from punktgenau.testing.simulator.schedule import plan
from punktgenau.testing.simulator.shrink import Shrinker
from punktgenau.testing.simulator.story import story
from punktgenau.testing.simulator.watch import Violation
from punktgenau.testing.simulator.world import Verdict

__all__ = ["Plan", "Shrinker", "Tally", "Verdict", "Violation", "ground", "history", "plan", "run", "story"]

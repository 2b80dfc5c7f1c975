"""What a process was granted before Ray is started, or until it is shut down, counts after it."""

import subprocess
import sys
from pathlib import Path

from budget_workers import RENEW, TERM
from counting_server import counting_server

HANDING_OVER = """
import sys, time
sys.path.insert(0, {here!r})
from counting_server import ask
from seiryu.corpus.remote.budget import Limits, LocalBudget
from seiryu.pipelines.shared_budget import SharedBudget, budget_for, told
limits = Limits(8.0, 2)
budget = budget_for(limits, renew={renew}, term={term})
assert type(budget) is LocalBudget and budget_for(limits) is budget and "ray" not in sys.modules
held = budget.begin()
budget.answered(held, well=True)
for _ in range(5):
    ask(budget, {url!r})
budget.slow("a.example answered 503", 0.1)
import ray
ray.init(num_cpus=1, object_store_memory=100_000_000, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
shared = budget_for(limits, renew={renew}, term={term})
assert type(shared) is SharedBudget and budget_for(limits) is shared
assert shared.state().rate == 4.0
one = shared.begin()
time.sleep({term} + 1)          # the local ticket is renewed too: two connections are all there are
began = time.monotonic()
import threading
threading.Timer(0.5, budget.end, [held]).start()
two = budget.begin()            # who still holds the old one asks the new one
assert time.monotonic() - began > 0.4
budget.end(two); shared.end(one)
assert told()[0].startswith("a.example answered 503")
ask(shared, {url!r})
ray.shutdown()
again = budget_for(limits)
assert type(again) is LocalBudget
ask(again, {url!r})
ray.init(num_cpus=1, object_store_memory=100_000_000, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
assert budget_for(limits) not in (shared, again)
ask(budget_for(limits), {url!r})
print("well")
"""


def test_a_process_takes_its_budget_with_it_into_a_cluster_and_out_again() -> None:
    with counting_server() as server:
        script = HANDING_OVER.format(here=str(Path(__file__).parent), renew=RENEW, term=TERM, url=server.url)
        ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=90)
        assert server.closest(8) >= 1.0
    assert (ended.stdout, ended.returncode) == ("well\n", 0), ended.stderr

"""Brokers on hosts of their own, joined by links that lose packets, are slow or stand still: whatever is accepted is
answered once, never do two brokers lead, and a bad link to one standby is nobody else's.
"""

import time
import unittest

from hosts import skip_for, why_no_bad_links
from spread import SpreadTest
from cluster import wait_until  # pylint: disable=wrong-import-order; spread knows where it is

LOST = 20                  # packets, until a link counts as lossy
SLOW_BYTES = 64_000        # a second
SLOW_FOR_BYTES = 96_000    # until a link counts as slow: more than a second of it
STILL_SECONDS = 1.0


@skip_for(why_no_bad_links())
class Links(SpreadTest):
    def leader_and_worse_standby(self, steady):
        leader = steady.wait_until_whole()
        return leader, [name for name in steady.cluster.broker_names if name != leader][-1]

    def finish(self, hosts, steady):
        hosts.heal()
        steady.wait_until_whole()
        steady.finish()
        print(steady.table())
        print(steady.check_winners())

    def test_over_links_that_lose_packets_a_standby_keeps_up_and_a_client_is_answered(self):
        hosts, steady = self.spread()
        leader, standby = self.leader_and_worse_standby(steady)
        for one, other in ((leader, standby), ("person", leader)):
            hosts.worsen_one_way(one, other, loss=0.05, twice=0.05)
            hosts.worsen_one_way(other, one, loss=0.05, delay=0.01, jitter=0.01)
            steady.note(f"{one} to {other} lossy", time.monotonic_ns())
            # pylint: disable-next=cell-var-from-loop
            wait_until(lambda: hosts.packets(one, other)["lost"] >= LOST, "packets are lost")
        holds = steady.asked_itself(leader)["durable"]
        wait_until(lambda: (steady.broker(standby)["durable"] or 0) >= holds, "the standby has what was lost")
        steady.wait_for_one_leader()
        self.finish(hosts, steady)

    def test_a_standby_behind_a_slow_link_delays_nobody_and_loses_nothing_when_the_leader_dies(self):
        hosts, steady = self.spread()
        leader, standby = self.leader_and_worse_standby(steady)
        hosts.worsen(leader, standby, delay=0.08, rate=SLOW_BYTES)
        steady.note("standby slow", time.monotonic_ns())
        wait_until(lambda: hosts.packets(leader, standby)["bytes"] > SLOW_FOR_BYTES, "much has passed the link")
        print([(broker["name"], broker["lag"]) for broker in steady.status()["brokers"]])
        since = time.monotonic_ns()
        steady.cluster.kill(leader)
        steady.note("leader killed", since)
        self.assertNotEqual(steady.wait_for_one_leader(), leader)
        steady.cluster.spawn(leader)
        self.finish(hosts, steady)

    def test_a_standby_whose_link_stands_still_asks_for_office_in_vain_and_follows_again(self):
        hosts, steady = self.spread(profile="cloud")  # T_e is 1 s: the machine alone makes nobody suspect the leader
        leader, standby = self.leader_and_worse_standby(steady)
        epoch = steady.status()["epoch"]
        hosts.worsen(leader, standby, held=True)
        begun = time.monotonic()
        steady.note("link stands still", time.monotonic_ns())
        wait_until(lambda: steady.broker(standby)["state"] == "electing" and time.monotonic() > begun + STILL_SECONDS,
                   "it misses the leader")
        self.assertEqual(steady.wait_for_one_leader(), leader)
        hosts.heal()
        steady.wait_until_whole()
        self.assertEqual(steady.status()["epoch"], epoch, "it asked, and nobody followed it")
        self.finish(hosts, steady)


if __name__ == "__main__":
    unittest.main()

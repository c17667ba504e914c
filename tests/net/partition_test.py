"""Brokers on hosts of their own whose network is cut in every shape: tasks are accepted again at once, no accepted one is
lost, never do two brokers lead, and an observer follows the cluster by whichever broker it reaches.
"""

import json
import subprocess
import time
import unittest

from hosts import skip_for, why_no_cuts
from spread import SpreadTest
from cluster import wait_until  # pylint: disable=wrong-import-order; spread knows where it is

NO_CUTS = why_no_cuts()
CUTS = 2              # of each leader in a row
BEARABLE_MS = 5000    # on whatever machine the tests run; tests/soak/cut_leader holds a quiet one to its targets


@skip_for(NO_CUTS)
class Partition(SpreadTest):
    def finish(self, steady):
        steady.wait_until_whole()
        steady.finish()
        print(steady.table())
        for what, times in steady.times.items():
            self.assertLess(max(times), BEARABLE_MS, what)

    def test_a_leader_cut_off_from_everybody_is_replaced_and_nothing_is_lost(self):
        _, steady = self.spread()
        for _ in range(CUTS):
            steady.cut_leader()
        self.finish(steady)

    def test_a_leader_that_only_its_brokers_do_not_reach_steps_down_though_clients_do(self):
        _, steady = self.spread()
        for _ in range(CUTS):
            steady.cut_leader("from brokers", among=steady.cluster.broker_names)
        self.finish(steady)

    def test_a_leader_that_dies_while_it_is_cut_off_is_replaced_and_comes_back(self):
        hosts, steady = self.spread()
        leader = steady.wait_until_whole()
        hosts.isolate(leader)
        since = time.monotonic_ns()
        steady.cluster.kill(leader)  # nobody is told: its connections stay half open until it is back
        steady.note("dead and cut off", since)
        steady.cluster.spawn(leader)
        wait_until(lambda: steady.asked_itself(leader)["state"] == "electing", "it is back, and alone")
        hosts.heal()
        self.finish(steady)

    def test_a_leader_that_is_not_heard_or_does_not_hear_is_replaced(self):
        hosts, steady = self.spread()
        for what in ("not heard", "hears nobody"):
            leader = steady.wait_until_whole()
            others = set(hosts.names) - {leader}
            hosts.lose([(leader, other) if what == "not heard" else (other, leader) for other in others])
            steady.note(what, time.monotonic_ns())
            hosts.heal()
        self.finish(steady)

    def test_a_standby_cut_off_delays_nobody_and_catches_up(self):
        hosts, steady = self.spread()
        leader = steady.wait_until_whole()
        standby = next(name for name in steady.cluster.broker_names if name != leader)
        hosts.isolate(standby)
        steady.note("standby cut off", time.monotonic_ns())
        wait_until(lambda: steady.asked_itself(standby)["state"] == "electing", "it misses the leader")
        self.assertEqual(steady.status()["leader"], leader)
        epoch = steady.status()["epoch"]
        hosts.heal()
        steady.wait_until_whole()
        self.assertEqual(steady.status()["epoch"], epoch, "it comes back without disturbing anybody")
        self.finish(steady)

    def test_halves_that_one_broker_joins_have_one_leader(self):
        hosts, steady = self.spread(brokers=5)
        steady.wait_until_whole()
        pairs = [(one, other) for one in ("b1", "b2") for other in ("b4", "b5")]
        hosts.lose(pairs + [(other, one) for one, other in pairs])
        steady.note("bridge", time.monotonic_ns())
        steady.wait_for_one_leader()
        self.assertIsNotNone(steady.next_accepted(time.monotonic_ns()))
        hosts.heal()
        self.finish(steady)


@skip_for(NO_CUTS)
class Watching(SpreadTest):
    def test_an_observer_that_reaches_only_a_standby_follows_the_cluster_by_it(self):
        hosts, cluster = self.spread_out()
        cluster.more["o1"] = ["--page", "127.0.0.1:8088"]
        cluster.start(*(name for name in cluster.names if name != "o1"))
        leader = cluster.leader()
        standby = next(name for name in cluster.broker_names if name != leader)
        cluster.ask("submit", "echo", "--wait")
        for name in cluster.broker_names:
            if name != standby:
                hosts.cut("o1", name)
        cluster.spawn("o1")

        def events(kind):
            lines = [line for line in cluster.log("o1").rpartition("\n")[0].splitlines() if line.startswith("{")]
            return [event for event in map(json.loads, lines) if event["event"] == kind]

        def shown():
            done = subprocess.run([*hosts.on("o1"), "curl", "-s", "http://127.0.0.1:8088/state.json"], capture_output=True, text=True,
                                  check=False)
            return json.loads(done.stdout)["tables"] if done.stdout else {}

        def finished(task):
            return [event for event in events("task") if event["id"] == task and event["state"] == "completed"]
        first = wait_until(lambda: events("snapshot"), "the standby tells how things stand")[0]
        self.assertEqual((first["told_by"], first["leader"]), (standby, leader))
        self.assertEqual((first["tasks"]["completed"], first["blocks_indexed"]), (1, None))
        wait_until(lambda: {"w1": "alive", "w2": "alive"}.items() <=
                   {name: node["state"] for name, node in shown().get("nodes", {}).items()}.items(), "workers that the standby hears of are shown")
        self.assertIn(shown()["now"]["health"]["status"], ("critical", "unknown"), "nobody calls healthy what it cannot reach")
        task = cluster.ask("submit", "echo", "--wait")["id"]
        wait_until(lambda: finished(task), "what happens is passed on by the standby")
        hosts.heal()
        wait_until(lambda: events("snapshot")[-1]["told_by"] == leader, "the leader is reached")
        task = cluster.ask("submit", "echo", "--wait")["id"]
        wait_until(lambda: finished(task), "it goes on")
        self.assertEqual(len(finished(task)), 1)
        self.assertEqual(events("gap"), [])


if __name__ == "__main__":
    unittest.main()

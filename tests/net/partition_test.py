"""Brokers on hosts of their own whose network is cut in every shape: tasks are accepted again at once, no accepted one is
lost, never do two brokers lead, and an observer follows the cluster by whichever broker it reaches.
"""

import json
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "processes"))
# pylint: disable=wrong-import-position
from cluster import Cluster, ClusterTest, wait_until  # noqa: E402
from hosts import Hosts, needs_hosts  # noqa: E402
from steady import Steady  # noqa: E402

CUTS = 2              # of each leader in a row
BUS_PORT = 9096
BEARABLE_MS = 5000    # on whatever machine the tests run; docs/reliability.md has what a quiet one does


class SpreadCluster(Cluster):
    """A node a host, and the command on host `person`; with keys, as beyond loopback it must be."""

    def __init__(self, folder, hosts, **options):
        self.hosts = hosts
        super().__init__(folder, keys=True, **options)
        self.environment = {"CIDBUS_KEY_FILE": str(self.keys / "person.key")}

    def address_of_broker(self, name):
        return f"{self.hosts.address(name)}:{BUS_PORT}"

    def exchange_address(self, name):
        return f"{self.hosts.address(name)}:9110"

    def prefix(self, name):
        return self.hosts.on(name)


class Spread(ClusterTest):
    def spread_out(self, brokers=3):
        """Hosts, and a cluster on them that is not started yet."""
        names = [f"b{number}" for number in range(1, brokers + 1)] + ["w1", "w2", "o1", "person"]
        hosts = Hosts(names).__enter__()
        self.addCleanup(hosts.close)
        folder = self.folder / "spread"
        folder.mkdir()
        cluster = SpreadCluster(folder, hosts, brokers=brokers, workers=2, observers=1)
        self.clusters.append(cluster)
        return hosts, cluster


@needs_hosts
class Partition(Spread):
    def spread(self, brokers=3):
        hosts, cluster = self.spread_out(brokers)
        return hosts, Steady(cluster.start(), prefix=hosts.on("person"))

    def asked_itself(self, steady, name):
        """What one broker says of itself, asked on its own host."""
        done = steady.cluster.cidbus("cluster", "status", "--output", "json", host=name,
                                     brokers=steady.cluster.address_of_broker(name))
        return {broker["name"]: broker for broker in done.json()["brokers"]}[name] if done.out else None

    def assert_one_leader(self, steady, deposed):
        """The broker that was cut off says itself that it leads no more; another one leads."""
        wait_until(lambda: self.asked_itself(steady, deposed)["state"] == "electing", f"{deposed} has stepped down")
        leader = steady.status()["leader"]
        self.assertNotIn(leader, (None, deposed))
        self.assertEqual(self.asked_itself(steady, leader)["state"], "leader")

    def finish(self, steady):
        steady.wait_until_whole()
        steady.finish()
        print(steady.table())
        for what, times in steady.times.items():
            self.assertLess(max(times), BEARABLE_MS, what)

    def test_a_leader_cut_off_from_everybody_is_replaced_and_nothing_is_lost(self):
        hosts, steady = self.spread()
        for _ in range(CUTS):
            leader = steady.wait_until_whole()
            hosts.isolate(leader)
            steady.note("leader cut off", time.monotonic_ns())
            self.assert_one_leader(steady, leader)
            hosts.heal()
        self.finish(steady)

    def test_a_leader_that_only_its_brokers_do_not_reach_steps_down_though_clients_do(self):
        hosts, steady = self.spread()
        for _ in range(CUTS):
            leader = steady.wait_until_whole()
            hosts.isolate(leader, among=steady.cluster.broker_names)
            steady.note("from brokers", time.monotonic_ns())
            self.assert_one_leader(steady, leader)
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
        wait_until(lambda: self.asked_itself(steady, standby)["state"] == "electing", "it misses the leader")
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

        def leaders():
            said = [self.asked_itself(steady, name) for name in steady.cluster.broker_names]
            return [broker["name"] for broker in said if broker["state"] == "leader"]
        self.assertEqual(len(leaders()), 1)
        self.assertIsNotNone(steady.next_accepted(time.monotonic_ns()))
        hosts.heal()
        self.finish(steady)


@needs_hosts
class Watching(Spread):
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

"""A cluster that is spread out, a node a host (hosts.py), and a steady client beside it while its network is hurt.

    class Something(SpreadTest):
        def test_a_sentence(self):
            hosts, steady = self.spread()
            steady.cut_leader()          # from everybody; both sides were asked who leads when this returns, and all is healed
            steady.finish()

Besides what finish() raises for on one machine, it does when two brokers led in one epoch, by their own word or the feed's.
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "processes"))
# pylint: disable=wrong-import-position
from cluster import Cluster, ClusterTest, wait_until  # noqa: E402
from hosts import Hosts  # noqa: E402
from steady import Steady  # noqa: E402

BUS_PORT = 9096


def host_names(brokers):
    """A host for each node of a cluster of two workers and an observer, and for a person."""
    return [f"b{number}" for number in range(1, brokers + 1)] + ["w1", "w2", "o1", "person"]


class SpreadCluster(Cluster):
    """A node a host, and the command on host `person`; with keys, as beyond loopback it must be."""

    def __init__(self, folder, hosts, brokers=3):
        self.hosts = hosts
        super().__init__(folder, keys=True, brokers=brokers, workers=2, observers=1)
        self.environment = {"CIDBUS_KEY_FILE": str(self.keys / "person.key")}

    def address_of_broker(self, name):
        return f"{self.hosts.address(name)}:{BUS_PORT}"

    def exchange_address(self, name):
        return f"{self.hosts.address(name)}:9110"

    def prefix(self, name):
        return self.hosts.on(name)


class SpreadSteady(Steady):
    """A steady client on host `person`; what was done to the network, and what brokers said of themselves meanwhile."""

    def __init__(self, cluster, **options):
        self.hosts = cluster.hosts
        self.led = {}  # epoch -> brokers that led in it
        super().__init__(cluster, prefix=cluster.hosts.on("person"), **options)

    def status(self, **where):
        """Asks every broker that is reached from `where`, and notes who says of itself that it leads."""
        status = super().status(**where)
        for broker in status["brokers"]:
            if broker["state"] == "leader":
                self.add_leader(broker["epoch"], broker["name"])
        return status

    def broker(self, name, **where):
        """What it says of itself."""
        said = {broker["name"]: broker for broker in self.status(**where)["brokers"]}
        return said.get(name, {"state": None, "durable": None})

    def asked_itself(self, name):
        """The same, on its own host."""
        return self.broker(name, host=name, brokers=self.cluster.address_of_broker(name))

    def add_leader(self, epoch, name):
        led = self.led.setdefault(epoch, set())
        led.add(name)
        if len(led) > 1:
            raise AssertionError(f"{' and '.join(sorted(led))} led in epoch {epoch}")

    def wait_for_one_leader(self, deposed=None):
        """Until exactly one broker leads, and not the one named, which says so itself; gives the leader's name."""
        if deposed:
            wait_until(lambda: self.asked_itself(deposed)["state"] == "electing", f"{deposed} has stepped down")

        def only_one():
            leaders = [broker["name"] for broker in self.status()["brokers"] if broker["state"] == "leader"]
            return len(leaders) == 1 and leaders[0] != deposed and leaders[0]
        return wait_until(only_one, "one leads")

    def cut_leader(self, what="leader cut off", among=None):
        """Cuts the leader off from everybody or from these, until others have a leader and it says itself that it is none."""
        leader = self.wait_until_whole()
        self.hosts.isolate(leader, among)
        self.note(what, time.monotonic_ns())
        self.wait_for_one_leader(deposed=leader)
        self.hosts.heal()

    def finish(self):
        super().finish()
        for event in self.election_events():
            if event["word"] == "COORDINATOR":
                self.add_leader(event["epoch"], event["publisher"])


class SpreadTest(ClusterTest):
    def spread_out(self, brokers=3):
        """Hosts, and a cluster on them that is not started yet."""
        hosts = Hosts(host_names(brokers)).__enter__()
        self.addCleanup(hosts.close)
        folder = self.folder / "spread"
        folder.mkdir()
        cluster = SpreadCluster(folder, hosts, brokers)
        self.clusters.append(cluster)
        return hosts, cluster

    def spread(self, brokers=3, profile=None):
        """A cluster that runs under a steady client."""
        hosts, cluster = self.spread_out(brokers)
        if profile:
            cluster.more = {name: ["--profile", profile] for name in cluster.broker_names}
        return hosts, SpreadSteady(cluster.start())

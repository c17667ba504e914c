"""Of three brokers and twenty workers, an observer that comes late, at a standby, and is killed, knows what the brokers say."""

import json
import subprocess
import unittest

from cluster import BIN, ClusterTest, wait_until

LONG = 180  # seconds, on a machine that has no time
WORKERS = 20


class Crowd(ClusterTest):
    def setUp(self):
        super().setUp()
        self.cluster = self.new_cluster(brokers=3, workers=WORKERS, observers=1, slots=1)
        self.cluster.start(*[name for name in self.cluster.names if name != "o1"])
        self.data = self.folder / "o1-data"
        self.cluster.more["o1"] = ["--data", self.data]

    def figures(self):
        """series -> the newest value that the observer has written of the cluster, and (node, series) of nodes."""
        done = subprocess.run([BIN / "cidbus-observer", "history", "show", "--data", self.data, "--last", "10s", "--output", "json"],
                              capture_output=True, text=True, timeout=60, check=False)
        rows = json.loads(done.stdout) if done.returncode == 0 else []
        return {(row["node"], row["series"]) if row["node"] else row["series"]: row["current"] for row in rows}

    def submit(self, count):
        lines = '{"type": "echo"}\n' * count
        self.assertEqual(self.cluster.cidbus("submit", "--batch", "-", "--wait", "--output", "quiet", given=lines).code, 0)

    def wait_until_it_is_what_the_brokers_say(self):
        def agrees():
            figures, status = self.figures(), self.cluster.ask("cluster", "status")
            slots = sum(figures.get((f"w{number}", "slots"), 0) for number in range(1, WORKERS + 1))
            told = {state: figures.get(f"tasks_{state}") for state in status["tasks"]}
            return (told == status["tasks"] and slots == WORKERS and figures["workers_alive"] == WORKERS
                    and figures["brokers_reachable"] == sum(self.cluster.runs(broker) for broker in self.cluster.broker_names)
                    and figures["leader_present"] == 1)
        wait_until(agrees, "the observer's figures are the brokers' own", LONG)

    def test_late_killed_and_through_a_change_of_leader(self):
        self.submit(200)
        leader = self.cluster.leader()
        standby = next(broker for broker in self.cluster.broker_names if broker != leader)
        self.cluster.given["o1"] = self.cluster.address_of_broker(standby)
        self.cluster.start("o1")
        self.wait_until_it_is_what_the_brokers_say()

        self.cluster.kill("o1")
        self.submit(100)
        self.cluster.start("o1")
        self.wait_until_it_is_what_the_brokers_say()

        self.cluster.kill(leader)
        self.submit(100)
        self.wait_until_it_is_what_the_brokers_say()
        self.assertEqual(self.cluster.ask("cluster", "status")["tasks"]["completed"], 400)


if __name__ == "__main__":
    unittest.main()

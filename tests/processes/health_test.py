"""`cidbus cluster health` says what is wrong and with its exit code how badly."""

import signal
import unittest

from cluster import ClusterTest, wait_until


class Health(ClusterTest):
    def health(self, cluster):
        """Exit code and answer."""
        done = cluster.cidbus("cluster", "health", "--output", "json", timeout=120)
        return done.code, done.json() if done.out else None

    def wait_for(self, cluster, code, status, reason):
        def told():
            got, health = self.health(cluster)
            return got == code and health["status"] == status and any(reason in said for said in health["reasons"]) and health
        return wait_until(told, f"it is {status}: {reason}", timeout=180)

    def test_what_is_wrong_is_said_and_how_badly(self):
        cluster = self.start_cluster(brokers=3, workers=1)
        wait_until(lambda: self.health(cluster)[0] == 0, "it is healthy", timeout=180)
        cluster.kill("w1")
        self.wait_for(cluster, 3, "warning", "there is no worker")
        self.wait_for(cluster, 3, "warning", "worker w1: dead")
        nodes = {node["name"]: node["status"] for node in self.health(cluster)[1]["nodes"]}
        self.assertEqual(nodes["w1"], "critical")
        cluster.ask("submit", "echo")
        self.wait_for(cluster, 4, "critical", "1 tasks wait")
        cluster.start("w1")
        wait_until(lambda: self.health(cluster)[0] == 0, "it is healthy again", timeout=180)
        cluster.kill("b3")
        self.wait_for(cluster, 3, "warning", "of the brokers 1 cannot be reached; no further one may fail")
        cluster.kill("b2")
        self.wait_for(cluster, 4, "critical", "2 of 3 brokers needed, 1 reachable")
        cluster.running["b1"].send_signal(signal.SIGSTOP)
        done = cluster.cidbus("cluster", "health", timeout=120)
        cluster.running["b1"].send_signal(signal.SIGCONT)
        self.assertEqual(done.code, 69, str(done))


if __name__ == "__main__":
    unittest.main()

"""A task type declared strict never runs twice at once: when its worker dies, the next attempt waits for the lease."""

import datetime
import unittest

from cluster import ClusterTest, wait_until

LEASE_SECONDS = 30  # limits::lease
CONFIG = """
[worker.exec.careful]
command = ["./careful.sh"]
input = "none"
strict = true
"""
PROGRAM = "#!/bin/sh\nsleep 3\necho done\n"


class Strict(ClusterTest):
    def test_a_dead_workers_strict_task_is_given_to_another_when_its_lease_is_over_and_not_before(self):
        self.folder.chmod(0o755)  # a worker that is root runs programs as nobody, who must be able to see them
        programs = self.folder / "programs"
        programs.mkdir(mode=0o755)
        (programs / "careful.sh").write_text(PROGRAM, encoding="utf-8")
        (programs / "careful.sh").chmod(0o755)
        (programs / "cidbus.toml").write_text(CONFIG, encoding="utf-8")
        cluster = self.new_cluster(workers=2, slots=1)
        for worker in ("w1", "w2"):
            cluster.more[worker] = ["--config", programs / "cidbus.toml"]
        cluster.start()
        task = cluster.cidbus("submit", "exec.careful").out.strip()

        def show():
            return cluster.cidbus("task", "show", task, "--output", "json").json()

        begun = wait_until(lambda: (shown := show())["state"] == "processing" and shown, "the task runs")
        cluster.kill(begun["worker"])
        done = cluster.cidbus("task", "wait", task, "--timeout", "100s", "--output", "json", timeout=120).json()
        self.assertEqual((done["state"], done["attempts"]), ("completed", 2))
        self.assertNotEqual(done["worker"], begun["worker"])
        first, second = (datetime.datetime.fromisoformat(shown["started_at"].replace("Z", "+00:00"))
                         for shown in (begun, done))
        self.assertGreaterEqual((second - first).total_seconds(), LEASE_SECONDS - 1)


if __name__ == "__main__":
    unittest.main()

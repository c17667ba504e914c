"""A worker that is told to stop: it ends what it is at, and hands it back when its time is up or it is told again."""

import signal
import time
import unittest

from cluster import ClusterTest, wait_until

LEASE_SECONDS = 30  # what a task of a worker that merely vanished might wait for


class Drain(ClusterTest):
    def setUp(self):
        super().setUp()
        self.folder.chmod(0o755)  # a worker that is root runs programs as nobody, who must be able to see it
        self.gate = self.folder / "gate"
        self.gate.mkdir(mode=0o755)
        self.config = self.file("cidbus.toml", f"""
[worker.exec.gated]
command = ["/bin/sh", "-c", "until [ -e {self.gate}/open ]; do sleep 0.05; done; echo through"]
input = "none"
read-only = ["{self.gate}"]
""".encode())

    def start(self, drain_seconds=600):
        self.cluster = self.new_cluster(workers=2)
        for name in ("w1", "w2"):
            self.cluster.more[name] = ["--config", self.config, "--drain", str(drain_seconds)]
        self.cluster.start()

    def start_task(self):
        """A task that ends once the gate is open: its id, and who is at it."""
        task = self.cluster.ask("submit", "exec.gated")["id"]
        wait_until(lambda: self.show(task)["state"] == "processing", "the task is under way")
        return task, self.show(task)["worker"]

    def show(self, task):
        return self.cluster.ask("task", "show", task)

    def open_gate(self):
        (self.gate / "open").touch()

    def check_handed_back(self, task, worker):
        """What the worker, which has ended, was at is run by the other one, without waiting for the lease's end."""
        ended = time.monotonic()
        other = {"w1": "w2", "w2": "w1"}[worker]
        wait_until(lambda: self.show(task)["worker"] == other, "the task went to the other worker")
        self.assertLess(time.monotonic() - ended, LEASE_SECONDS / 2, "handed back, not waited for")
        self.open_gate()
        done = self.cluster.ask("task", "wait", task)
        self.assertEqual((done["state"], done["worker"], done["attempts"]), ("completed", other, 2))
        self.assertIn("handed back", [attempt["outcome"] for attempt in self.cluster.ask("task", "logs", task)])

    def test_the_first_sigterm_lets_it_end_what_it_is_at(self):
        self.start()
        task, worker = self.start_task()
        process = self.cluster.running[worker]
        process.send_signal(signal.SIGTERM)
        new = self.cluster.ask("submit", "echo", "--wait")
        self.assertNotEqual(new["worker"], worker, "it takes nothing new")
        wait_until(lambda: "once more ends it at once" in self.cluster.log(worker), "it says how to end it")
        self.assertIn("waits up to 600 s for the task that runs", self.cluster.log(worker))
        self.assertIsNone(process.poll(), "it is still at it")
        self.open_gate()
        self.assertEqual(process.wait(60), 0)
        done = self.show(task)
        self.assertEqual((done["state"], done["worker"], done["attempts"]), ("completed", worker, 1))

    def test_what_does_not_end_within_the_drain_time_is_handed_back(self):
        self.start(drain_seconds=1)
        task, worker = self.start_task()
        process = self.cluster.running[worker]
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(60), 0)
        self.check_handed_back(task, worker)

    def test_a_second_sigterm_hands_back_at_once_what_it_is_at(self):
        self.start()
        task, worker = self.start_task()
        process = self.cluster.running[worker]
        process.send_signal(signal.SIGTERM)
        wait_until(lambda: self.cluster.ask("submit", "echo", "--wait")["worker"] != worker, "it takes nothing new")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(60), 128 + signal.SIGTERM)
        self.check_handed_back(task, worker)


if __name__ == "__main__":
    unittest.main()

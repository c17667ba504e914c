#!/usr/bin/env python3
"""The example of README's cluster in three shells: tasks flow from the master to the worker, health and roles are printed,
others see it, and Ctrl+C ends each cleanly."""

import os
import signal
import subprocess
import threading
import unittest

from cluster import BIN, PATIENCE_SECONDS, ClusterTest, Ports, die_with_the_test, wait_until

PROGRAM = BIN / "example_cluster_management_example"


class Shell:
    """One of the example's processes, and what it has printed so far."""

    def __init__(self, test, role, name, address):
        words = ["--role", role, "--cluster", "home", "--master", address, "--node-id", name, "--data", test.folder / name]
        environment = os.environ | {"HOME": str(test.folder)}
        # pylint: disable=consider-using-with,subprocess-popen-preexec-fn
        self.process = subprocess.Popen([PROGRAM, *map(str, words)], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, env=environment, preexec_fn=die_with_the_test)
        self.name, self.lines, self.errors = name, [], []
        self.readers = [threading.Thread(target=self.read, args=pair, daemon=True)
                        for pair in ((self.process.stdout, self.lines), (self.process.stderr, self.errors))]
        for reader in self.readers:
            reader.start()
        test.addCleanup(self.end)

    @staticmethod
    def read(stream, lines):
        lines.extend(iter(stream.readline, ""))
        stream.close()

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE_SECONDS)
        for reader in self.readers:
            reader.join(PATIENCE_SECONDS)

    def says(self, *words):
        """Waits for a line with all of these words."""
        def look():
            if self.process.poll() is not None:
                raise AssertionError(f"{self.name} has ended: {self.lines[-5:]} {self.errors}")
            return next((line for line in list(self.lines) if all(word in line for word in words)), None)
        return wait_until(look, f"{self.name} says {words}; it said {self.lines[-10:]} {self.errors}")

    def interrupt(self, test):
        self.process.send_signal(signal.SIGINT)
        test.assertEqual(self.process.wait(PATIENCE_SECONDS), 0, self.errors)
        self.end()
        test.assertEqual(self.lines[-1], f"{self.name}: stopped\n")
        test.assertEqual(self.errors, [])


class ClusterExample(ClusterTest):
    def setUp(self):
        super().setUp()
        ports = Ports()
        self.addCleanup(ports.close)
        self.address = f"127.0.0.1:{ports.base}"

    def test_three_shells(self):
        master = Shell(self, "master", "m1", self.address)
        master.says("role master", "cluster_management")
        master.says("as worker: score")
        master.says("m1 leads, and that is this node")
        master.says("waiting for a worker")
        master.says("alert, warning: ", "there is no worker")
        worker = Shell(self, "worker", "w1", self.address)
        worker.says("set to", "100GB")
        master.says("task ", "submitted")
        master.says("task ", "completed on w1", "words", "4")
        leecher = Shell(self, "leecher", "l1", self.address)
        leecher.says("m1 leads, tasks")
        leecher.says("worker w1 is alive")
        master.says("alert, resolved: ")
        master.says("cluster is ", "3 nodes")
        leecher.interrupt(self)
        worker.interrupt(self)
        master.interrupt(self)

    def test_any_role_joins(self):
        master = Shell(self, "master", "m1", self.address)
        worker = Shell(self, "worker", "w1", self.address)
        master.says("task ", "completed on w1")
        for role, name in (("gateway", "g1"), ("observer", "o1")):
            node = Shell(self, role, name, self.address)
            node.says(f"{role} {name} is alive")
            node.process.send_signal(signal.SIGTERM)
            self.assertEqual(node.process.wait(PATIENCE_SECONDS), 0, node.errors)
        worker.interrupt(self)
        master.says("alert, warning: ", "there is no worker")
        master.interrupt(self)

    def test_what_is_wrong_is_told_in_a_line(self):
        for words, says in ((["--role", "king", "--node-id", "a"], "master"), (["--role", "worker"], "--node-id"),
                            (["--node-id"], "usage"), (["--node-id", "a", "--master", "nowhere"], "nowhere")):
            with self.subTest(words=words):
                done = subprocess.run([PROGRAM, *words], capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS,
                                      env=os.environ | {"HOME": str(self.folder)})
                self.assertIn(done.returncode, (2, 69), done)
                self.assertIn(says, done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1)


if __name__ == "__main__":
    unittest.main()

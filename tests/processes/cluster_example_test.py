#!/usr/bin/env python3
"""The example of README's cluster in three shells, in C++ and in Python: tasks flow from the master to the worker, health and
roles are printed, others see it, and Ctrl+C ends each cleanly."""

import os
import signal
import socket
import subprocess
import threading
import unittest

from cluster import BIN, PATIENCE_SECONDS, ROOT, ClusterTest, Ports, die_with_the_test, wait_until

PROGRAMS = {"c++": [BIN / "example_cluster_management_example"],
            "python": ["/usr/bin/python3", ROOT / "examples/cluster_management_example.py"]}


class Shell:
    """One of the example's processes, and what it has printed so far."""

    def __init__(self, test, program, role, name, address):
        words = ["--role", role, "--cluster", "home", "--master", address, "--node-id", name, "--data", test.folder / name]
        environment = os.environ | {"PYTHONPATH": str(BIN.parent / "python"), "HOME": str(test.folder)}
        # pylint: disable=consider-using-with,subprocess-popen-preexec-fn
        self.process = subprocess.Popen([*map(str, program), *map(str, words)], stdout=subprocess.PIPE,
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
    def test_without_the_module_a_line_says_what_to_set(self):
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run([*map(str, PROGRAMS["python"][:1]), "-S", str(PROGRAMS["python"][1]), "--help"], env=environment,
                              capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertRegex(done.stderr, r"^cluster_management_example: [^\n]*PYTHONPATH[^\n]*\n$")

    def test_a_port_that_is_taken_is_a_failure_in_both_languages(self):
        host, port = self.address.split(":")
        with socket.create_server((host, int(port))):
            for language, program in PROGRAMS.items():
                with self.subTest(language):
                    shell = Shell(self, program, "master", f"m-{language[0]}", self.address)
                    self.assertEqual(shell.process.wait(PATIENCE_SECONDS), 1, shell.errors)

    def setUp(self):
        super().setUp()
        ports = Ports()
        self.addCleanup(ports.close)
        self.address = f"127.0.0.1:{ports.base}"

    def walk_through(self, first, second):
        """Three shells: a master in one language, a worker in another, and a leecher."""
        master = Shell(self, first, "master", "m1", self.address)
        master.says("role master", "cluster_management")
        master.says("as worker: score")
        master.says("m1 leads, and that is this node")
        master.says("waiting for a worker")
        master.says("alert, warning: ", "there is no worker")
        worker = Shell(self, second, "worker", "w1", self.address)
        worker.says("set to", "100GB")
        master.says("task ", "submitted")
        master.says("task ", "completed on w1", "words", "4")
        leecher = Shell(self, first, "leecher", "l1", self.address)
        leecher.says("m1 leads, tasks")
        leecher.says("worker w1 is alive")
        master.says("alert, resolved: ")
        master.says("cluster is ", "3 nodes")
        leecher.interrupt(self)
        worker.interrupt(self)
        master.interrupt(self)

    def test_three_shells_in_cpp(self):
        self.walk_through(PROGRAMS["c++"], PROGRAMS["c++"])

    def test_three_shells_in_python(self):
        self.walk_through(PROGRAMS["python"], PROGRAMS["python"])

    def test_one_language_serves_the_other_and_any_role_joins(self):
        master = Shell(self, PROGRAMS["python"], "master", "m1", self.address)
        worker = Shell(self, PROGRAMS["c++"], "worker", "w1", self.address)
        master.says("task ", "completed on w1")
        for role, name in (("gateway", "g1"), ("observer", "o1")):
            node = Shell(self, PROGRAMS["c++" if role == "gateway" else "python"], role, name, self.address)
            node.says(f"{role} {name} is alive")
            node.process.send_signal(signal.SIGTERM)
            self.assertEqual(node.process.wait(PATIENCE_SECONDS), 0, node.errors)
        worker.interrupt(self)
        master.says("waiting for a worker")
        master.interrupt(self)

    def test_a_master_whose_task_nobody_takes_goes_on_until_somebody_does(self):
        for language, program in PROGRAMS.items():
            with self.subTest(language):
                master = Shell(self, program, "master", f"m-{language[0]}", self.address)
                master.says("waiting for a worker")
                plain = subprocess.Popen(  # pylint: disable=consider-using-with,subprocess-popen-preexec-fn
                    [BIN / "cidbus-worker", "--name", f"plain-{language[0]}", "--cluster", "home", "--brokers", self.address, "--exchange",
                     "127.0.0.1:*", "--data", self.folder / f"plain-{language[0]}"], preexec_fn=die_with_the_test)
                self.addCleanup(plain.kill)
                master.says("count_words", "no ")
                worker = Shell(self, program, "worker", f"w-{language[0]}", self.address)
                master.says("task ", f"completed on w-{language[0]}")
                worker.interrupt(self)
                plain.terminate()
                self.assertEqual(plain.wait(PATIENCE_SECONDS), 0)
                master.interrupt(self)

    def test_what_is_wrong_is_told_in_a_line(self):
        for program in PROGRAMS.values():
            for words, code, says in ((["--role", "king", "--node-id", "a"], 2, "master"), (["--role", "worker"], 2, "--node-id")):
                with self.subTest(program=program, words=words):
                    done = subprocess.run([*map(str, program), *words], capture_output=True, text=True, check=False,
                                          timeout=PATIENCE_SECONDS,
                                          env=os.environ | {"PYTHONPATH": str(BIN.parent / "python")})
                    self.assertEqual(done.returncode, code, done)
                    self.assertIn(says, done.stderr)


if __name__ == "__main__":
    unittest.main()

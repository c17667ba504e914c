"""Rubbish, floods, the oversized and those of another cluster are answered or cut, and harm no one who works."""

import json
import os
import random
import socket
import subprocess
import threading
import unittest

from cluster import BIN, PATIENCE_SECONDS, ClusterTest, wait_until

GREETING = b"\xff" + b"\x00" * 8 + b"\x7f\x03\x00NULL" + b"\x00" * 16 + b"\x00" + b"\x00" * 31  # ZMTP 3.0, RFC 23


class Work:
    """A real client that goes on while the intruders are at it; any fault it meets is kept."""

    def __init__(self, cluster):
        self.cluster, self.done, self.fault, self.stopping = cluster, 0, None, threading.Event()
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self):
        while not self.stopping.is_set():
            answer = self.cluster.cidbus("submit", "echo", "--param", f"number={self.done}", "--wait",
                                         "--output", "json")
            if answer.code != 0 or answer.json()["result"]["values"]["number"] != str(self.done):
                self.fault = answer
                return
            self.done += 1

    def stop(self):
        self.stopping.set()
        self.thread.join(PATIENCE_SECONDS)


class IntruderTest(ClusterTest):
    brokers = 1

    def setUp(self):
        super().setUp()
        self.cluster = self.start_cluster(brokers=self.brokers, workers=2, gateways=1, observers=1)
        self.pids = {name: process.pid for name, process in self.cluster.running.items()}
        self.work = Work(self.cluster)
        self.addCleanup(self.work.stop)

    def assert_nobody_is_harmed(self):
        self.work.stop()
        self.assertIsNone(self.work.fault, str(self.work.fault))
        task = self.cluster.ask("submit", "echo", "--param", "number=last", "--wait")
        self.assertEqual(task["result"]["values"]["number"], "last")
        alive = {name: process.pid for name, process in self.cluster.running.items() if process.poll() is None}
        self.assertEqual(alive, self.pids, "every node runs on")
        self.assertGreater(self.work.done, 0, "the client should have worked meanwhile")

    def intrude(self, kind, count, seed=7, port=None, against="bus"):
        address = f"127.0.0.1:{port or self.cluster.ports.base}"
        command = [BIN / "intruder", address, self.cluster.name, kind, count, seed, against]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=PATIENCE_SECONDS,
                              check=True)
        lines = done.stdout.splitlines()
        self.assertEqual(lines[-1], f"sent {count}")
        return lines[:-1]

    def refused(self):
        """How many messages the broker says that it has refused."""
        told = [event["refused_messages"] for event in map(json.loads, self.cluster.log("o1").splitlines()[:-1])
                if event.get("event") == "counters"]
        return told[-1] if told else 0

    def assert_counted(self, count, before=0):
        wait_until(lambda: self.refused() >= before + count, f"{count} more than {before} refused messages are told on the feed")


class Intruders(IntruderTest):
    def ports(self):
        """Every port that nodes talk to each other on, and what stands there: bus, feeds, two block exchanges."""
        base = self.cluster.ports.base
        return {base: "bus", base + 1: "feed-out", base + 2: "feed-in", base + 30: "bus", base + 31: "bus"}

    def intrude_and_count(self, kind, port, against):
        """The broker counts them; but one who sends more than a subscription to its feed out is cut, mostly before it is read."""
        before = self.refused()
        self.intrude(kind, 3000, port, port, against)
        if port in (self.cluster.ports.base, self.cluster.ports.base + 2):
            self.assert_counted(100, before)  # what was still in the intruder's queue has gone with it

    def test_another_cluster_is_refused_with_a_reason(self):
        answers = self.intrude("wrong-cluster", 5)
        self.assertEqual(len(answers), 5)
        for answer in answers:
            self.assertRegex(answer, r"^refused .*cluster.*: .+")
        self.assert_counted(5)
        self.assert_nobody_is_harmed()

    def test_another_version_is_refused_with_a_reason(self):
        answers = self.intrude("wrong-version", 5)
        self.assertEqual(len(answers), 5)
        for answer in answers:
            self.assertRegex(answer, r"^refused .*version.*: .+")
        self.assert_counted(5)
        self.assert_nobody_is_harmed()

    def test_a_second_claimant_of_a_living_name_is_refused(self):
        (answer,) = self.intrude("name-taken", 1)
        self.assertRegex(answer, r"^refused .*name.*: .*w1")
        self.assert_nobody_is_harmed()
        self.assertIn("w1", self.cluster.members())

    def test_rubbish_on_every_port_is_harmless(self):
        for port, against in self.ports().items():
            self.intrude_and_count("rubbish", port, against)
        self.assert_nobody_is_harmed()

    def test_damaged_messages_are_harmless(self):
        for port, against in self.ports().items():
            self.intrude_and_count("damaged", port, against)
        self.assert_nobody_is_harmed()

    def test_the_oversized_is_refused_with_a_reason(self):
        for port in (self.cluster.ports.base, self.cluster.ports.base + 30):
            answers = self.intrude("oversize", 3, port=port)
            self.assertEqual(len(answers), 3)
            for answer in answers:
                self.assertRegex(answer, r"^refused bad message: .*over 8 MiB")
        self.assert_counted(3)
        self.assert_nobody_is_harmed()

    def test_the_huge_is_cut(self):
        self.assertEqual(self.intrude("huge", 3), ["cut"] * 3)
        self.assertEqual(self.intrude("huge", 3, port=self.cluster.ports.base + 30), ["cut"] * 3)
        self.assert_nobody_is_harmed()

    def test_bytes_that_are_no_zmtp_are_harmless(self):
        chance = random.Random(11)
        for port in [*self.ports(), self.cluster.ports.base + 20]:
            for opening in (b"", b"GET / HTTP/1.0\r\n\r\n", GREETING, GREETING[:20], b"\x00" * 64):
                with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
                    try:
                        raw.sendall(opening + chance.randbytes(chance.randrange(100_000)))
                    except OSError:
                        pass  # cut while it was at it, as it should be
        self.assert_nobody_is_harmed()

    def test_hundreds_of_silent_connections_keep_nobody_out(self):
        held = []
        try:
            for port in self.ports():
                held += [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(150)]
            for raw in held:
                raw.sendall(os.urandom(1))
            self.assert_nobody_is_harmed()
        finally:
            for raw in held:
                raw.close()


class IntrudersBetweenBrokers(IntruderTest):
    brokers = 3

    def test_rubbish_where_brokers_speak_to_each_other_is_harmless(self):
        before = self.refused()
        for broker in range(self.brokers):
            for port in (3, 4):  # control and bulk
                for kind in ("rubbish", "damaged"):
                    self.intrude(kind, 300, seed=port, port=self.cluster.ports.base + 6 * broker + port)
        self.assert_counted(100, before)
        self.assert_nobody_is_harmed()


if __name__ == "__main__":
    unittest.main()

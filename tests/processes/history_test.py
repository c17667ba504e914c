"""What an observer measured is there after a kill and a full disk, is what the brokers say, and can be taken out."""

import csv
import io
import subprocess
import unittest

from cluster import BIN, ClusterTest, Done, wait_until
from full_disk_test import SmallDisk


class History(ClusterTest):
    def start(self, data):
        cluster = self.new_cluster(workers=1, observers=1)
        cluster.data["o1"] = data
        cluster.more["o1"] = ["--data", data]
        return cluster.start()

    @staticmethod
    def history(*words):
        done = subprocess.run([BIN / "cidbus-observer", "history", *map(str, words)], capture_output=True, text=True, timeout=60,
                              check=False)
        return Done(["history", *words], done.returncode, done.stdout, done.stderr)

    def shown(self, data, series, node=""):
        """The figures of a series, or None while there are none."""
        done = self.history("show", "--data", data, "--series", series, "--node", node, "--output", "json")
        return (done.json() or [None])[0] if done.code == 0 else None

    def rows(self, data, series, every, node=""):
        done = self.history("export", "--data", data, "--series", series, "--node", node, "--every", every, "--last", "2h")
        self.assertEqual(done.code, 0, str(done))
        return list(csv.DictReader(io.StringIO(done.out)))

    def test_a_killed_observer_has_its_history_again_and_goes_on_with_it(self):
        data = self.folder / "o1-data"
        cluster = self.start(data)
        wait_until(lambda: self.shown(data, "tasks_accepted_total"), "the broker's counters are there")
        for number in range(5):
            cluster.ask("submit", "echo", "--param", f"n={number}", "--wait")
        told = wait_until(lambda: (shown := self.shown(data, "tasks_completed")) and shown["current"] == 5 and shown,
                          "the history has what the broker says")
        self.assertEqual(told["max"], cluster.ask("cluster", "status")["tasks"]["completed"])
        self.assertGreater(wait_until(lambda: self.shown(data, "tasks_accepted_total")["rate"], "it has risen"), 0)
        self.assertEqual(wait_until(lambda: self.shown(data, "slots", "w1"), "the worker has spoken")["avg"], 2)
        before = sum(int(row["points"]) for row in self.rows(data, "leader_present", "hour"))
        seconds = self.rows(data, "tasks_completed", "second")
        cluster.kill("o1")
        self.assertEqual(self.rows(data, "tasks_completed", "second")[:len(seconds)], seconds, "nothing written is lost")
        cluster.start("o1")
        wait_until(lambda: sum(int(row["points"]) for row in self.rows(data, "leader_present", "hour")) > before + 5,
                   "what was measured before the kill counts on")
        second = self.folder / "second.log"
        with open(second, "wb") as log:
            done = subprocess.run([BIN / "cidbus-observer", "--name", "o2", "--cluster", cluster.name, "--data", data], timeout=60,
                                  stderr=log, check=False)
        self.assertEqual((done.returncode, len(second.read_text().splitlines())), (75, 1), second.read_text())
        done = self.history("list", "--data", data, "--node", "w1", "--output", "quiet")
        self.assertIn("w1 slots_busy", done.out.splitlines())
        for series, node in (("cpu_percent", "b1"), ("memory_percent", "w1"), ("disk_percent", "w1")):
            used = wait_until(lambda series=series, node=node: self.shown(data, series, node), f"{series} of {node} is kept")
            self.assertTrue(0 <= used["current"] <= 100, used)
        self.assertGreater(self.shown(data, "memory_percent", "w1")["current"], 0)
        wait_until(lambda: self.shown(data, "queue_oldest_seconds"), "the age of the queue is kept")
        self.assert_formats_agree(data)
        self.assert_fails(self.history("show", "--data", data, "--series", "nonsense"), 1, "no series", "list")
        self.assert_fails(self.history("show", "--data", self.folder), 1, "no history", "--data")
        self.assert_fails(self.history("show", "--data", data, "--last", "1h", "--from", "2026-11-26T12:00:00Z"), 2, "--last")

    def assert_formats_agree(self, data):
        """JSON, NDJSON and CSV of a window that is over hold the same rows."""
        rows = self.rows(data, "leader_present", "second")[:5]
        window = ["--series", "leader_present", "--every", "second", "--from", rows[0]["time"][:19] + "Z", "--to", rows[-1]["time"][:19] + "Z"]
        exported = {form: self.history("export", "--data", data, *window, "--format", form) for form in ("json", "ndjson", "csv")}
        told = exported["json"].json()
        self.assertEqual([(one["time"], one["node"], one["last"], one["points"]) for one in told],
                         [(row["time"], None, float(row["last"]), int(row["points"])) for row in rows[:-1]])
        self.assertEqual(exported["ndjson"].lines(), told)
        self.assertEqual(len(exported["csv"].out.splitlines()), len(told) + 1)

    def test_with_a_full_disk_it_goes_on_in_memory_and_writes_that_when_there_is_room(self):
        disk = SmallDisk(self.folder / "disk", 16)
        self.addCleanup(disk.close)
        data = disk.folder / "data"
        cluster = self.start(data)
        wait_until(lambda: self.shown(data, "tasks_completed"), "something is written")
        disk.fill()
        wait_until(lambda: "goes on in memory" in cluster.log("o1"), "it says that it cannot write")
        cluster.ask("submit", "echo", "--wait")
        wait_until(lambda: '"completed":1' in cluster.log("o1"), "it has heard of the task")
        disk.make_room()
        wait_until(lambda: "written to disk again" in cluster.log("o1"), "it says that it writes again")
        self.assertEqual(cluster.log("o1").count("goes on in memory"), 1)
        wait_until(lambda: (shown := self.shown(data, "tasks_completed")) and shown["max"] == 1, "what happened meanwhile is there")


if __name__ == "__main__":
    unittest.main()

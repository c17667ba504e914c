"""Options whose effect only a running cluster shows: when a task runs, what is added, where blocks lie, what is logged."""

import json
import os
import subprocess
import unittest
from datetime import datetime

from cluster import BIN, ClusterTest, Done, wait_until


class Options(ClusterTest):
    def events(self, cluster, **wanted):
        """What the observer has printed so far and has these values; its last line may still be on its way."""
        lines = cluster.log("o1").splitlines(keepends=True)
        events = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")]
        return [event for event in events if wanted.items() <= event.items()]

    def test_when_a_task_runs(self):
        cluster = self.start_cluster(workers=1, slots=1, observers=1)
        cluster.stop("w1")  # its task types are known from here on
        submit = ("submit", "echo", "--output", "quiet")
        order = [cluster.cidbus(*submit, *words).out.strip()
                 for words in (["--priority", "0"], [], ["--priority", "9"])]
        late = cluster.cidbus("submit", "echo", "--deadline", "1s", "--wait")
        self.assertEqual(late.code, 1, str(late))
        self.assertIn("deadline", late.err)
        (given_up,) = cluster.ask("task", "list", "--state", "timeout")
        self.assertEqual(given_up["attempts"], 0)
        cluster.start("w1")
        wait_until(lambda: len(self.events(cluster, event="task", state="completed")) == 3, "all three have run")
        ran = [event["id"] for event in self.events(cluster, event="task", state="completed")]
        self.assertEqual(ran, order[::-1], "9 first, then 5, which is what is not said, then 0")

        delayed = cluster.ask("submit", "echo", "--delay", "1500ms", "--wait")
        waited = datetime.fromisoformat(delayed["started_at"]) - datetime.fromisoformat(delayed["submitted_at"])
        self.assertGreaterEqual(waited.total_seconds(), 1.5)

    def test_hidden_files_are_added_when_asked_for(self):
        cluster = self.start_cluster(workers=1)
        folder = self.folder / "tree"
        folder.mkdir()
        for name in ("seen", ".hidden"):
            (folder / name).write_bytes(name.encode())

        def names(*words):
            cid = cluster.cidbus("add", "--recursive", folder, "--output", "quiet", *words).out.strip()
            return {entry["name"] for entry in cluster.ask("ls", cid)}
        self.assertEqual(names(), {"seen"})
        self.assertEqual(names("--hidden"), {"seen", ".hidden"})

    def test_a_worker_keeps_blocks_in_the_store_it_is_told_and_no_more_than_it_may(self):
        cluster = self.new_cluster(workers=1)
        cluster.more["w1"] = ["--store", "rocksdb", "--storage-max", "6MB"]
        cluster.start()
        content = os.urandom(1_500_000)
        cid = cluster.add(self.file("some", content))
        wait_until(lambda: cluster.members()["w1"]["blocks"] > 0, "the leader knows what w1 holds")
        self.assert_fails(cluster.cidbus("add", self.file("more", os.urandom(5_000_000)), "--timeout", "30s"), 75,
                          "no room for 1 copy on the 1 node that stores blocks", "raise --storage-max")
        cluster.stop("w1")

        cluster.more["w1"] = []  # a folder tells which store it is
        cluster.start("w1")
        self.assertGreater(cluster.members()["w1"]["blocks"], 0, "told at once, not with its first heartbeat")
        copy = self.folder / "copy"
        self.assertEqual(cluster.cidbus("get", cid, "-o", copy).code, 0)
        self.assertEqual(copy.read_bytes(), content)
        cluster.stop("w1")
        done = subprocess.run([*map(str, cluster.command("w1")), "--storage-max", "0"], capture_output=True, text=True,
                              timeout=60, check=False)
        self.assert_fails(Done(["cidbus-worker"], done.returncode, done.stdout, done.stderr), 2, "storage-max", "leave it out")
        done = subprocess.run([*map(str, cluster.command("w1")), "--store", "pack"], capture_output=True, text=True,
                              timeout=60, check=False)
        self.assert_fails(Done(["cidbus-worker"], done.returncode, done.stdout, done.stderr), 2, "rocksdb", "--store")

    def test_the_log_level_decides_what_is_logged_and_the_durability_is_told(self):
        cluster = self.new_cluster(workers=1)
        cluster.more["b1"] = ["--log-level", "info", "--durability", "memory"]
        cluster.start()
        self.assertEqual(cluster.ask("submit", "echo", "--wait")["state"], "completed")
        self.assertEqual(cluster.ask("cluster", "status")["durability"], "memory")
        self.assertIn("in office", cluster.log("b1"))
        self.assertNotIn("joined", cluster.log("w1"), "without the option only what is wrong")
        done = subprocess.run([BIN / "cidbus-broker", "--log-level", "loud"], capture_output=True, text=True, timeout=60,
                              check=False)
        self.assert_fails(Done(["cidbus-broker"], done.returncode, done.stdout, done.stderr), 2, "debug", "warning")


if __name__ == "__main__":
    unittest.main()

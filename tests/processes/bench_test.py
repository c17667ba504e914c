"""`cidbus bench` and its yardstick, as a user runs them: every task comes back, and what is told adds up. No speed is
asserted here."""

import json
import signal
import subprocess
import unittest
from pathlib import Path

from cluster import BIN, PATIENCE_SECONDS, ClusterTest, die_with_the_test, wait_until


def check_load(test, row, tasks):
    """The figures of one row fit each other."""
    test.assertEqual(row["tasks"], tasks)
    test.assertGreater(row["seconds"], 0)
    test.assertAlmostEqual(row["tasks_per_second"], tasks / row["seconds"], delta=1 + 0.01 * row["tasks_per_second"])
    latency = row["latency_us"]
    test.assertLessEqual(0, latency["p50"])
    test.assertEqual(list(latency.values()), sorted(latency.values()), "percentiles only grow")


class BenchTest(ClusterTest):
    def test_measures_a_row_for_each_window_and_payload(self):
        cluster = self.start_cluster(workers=2, slots=3)
        rows = cluster.ask("bench", "--tasks", "300", "--window", "1,64", "--payload", "0,5000")
        self.assertEqual([(row["window"], row["payload"]) for row in rows], [(1, 0), (64, 0), (1, 5000), (64, 5000)])
        for row in rows:
            check_load(self, row, 300)
            self.assertEqual((row["durability"], row["workers"], row["slots"]), ("disk", 2, 6))
        states = cluster.ask("cluster", "status")["tasks"]
        self.assertEqual(states["pending"] + states["assigned"] + states["processing"], 0, "nothing is left behind")
        done = cluster.cidbus("bench", "--tasks", "50")
        self.assertEqual(done.code, 0, str(done))
        self.assertIn("50 tasks in", done.out)

    def test_says_what_is_missing(self):
        cluster = self.start_cluster(workers=0)
        self.assert_fails(cluster.cidbus("bench", "--tasks", "10"), 75, "no worker", "start one")
        self.assert_fails(cluster.cidbus("bench", "--window", "0"), 2, "--window")
        self.assert_fails(cluster.cidbus("bench", "--payload", "1000000"), 2, "--payload")

    def test_measures_clusters_of_its_own_by_workers_and_durability_and_leaves_nothing(self):
        done = self.bench("--workers", "1,2", "--durability", "memory,quorum", "--tasks", "200")
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = json.loads(done.stdout)
        self.assertEqual([(row["durability"], row["brokers"], row["workers"]) for row in rows],
                         [("memory", 1, 1), ("memory", 1, 2), ("quorum", 3, 1), ("quorum", 3, 2)])
        for row in rows:
            check_load(self, row, 200)
        self.assertEqual(list(self.folder.iterdir()), [], "its folders are gone")

        self.assertIn("tape not in {memory,disk,quorum}", self.bench("--durability", "tape").stderr)
        self.assertEqual(self.bench("--workers", "0").returncode, 2)

    def test_its_own_cluster_ends_with_it_however_it_ends(self):
        for how, code in ((signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)):
            with self.subTest(how=how), self.start_bench("--workers", "2", "--tasks", "100000000") as bench:
                wait_until(lambda: len(self.nodes()) == 3, "a broker and two workers run")
                bench.send_signal(how)
                self.assertEqual(bench.wait(PATIENCE_SECONDS), code)
                wait_until(lambda: not self.nodes(), "they are gone")

    def start_bench(self, *arguments):
        environment = {"PATH": "/usr/bin:/bin", "TMPDIR": str(self.folder), "CIDBUS_BROKERS": "127.0.0.1:1"}
        return subprocess.Popen([BIN / "cidbus", "--output", "json", "bench", *arguments], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, env=environment, preexec_fn=die_with_the_test)

    def bench(self, *arguments):
        with self.start_bench(*arguments) as bench:
            out, err = bench.communicate(timeout=PATIENCE_SECONDS)
        return subprocess.CompletedProcess(bench.args, bench.returncode, out, err)

    def nodes(self):
        """The processes whose data lies in this test's folder."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                words = (process / "cmdline").read_bytes().split(b"\0")
            except OSError:  # ended meanwhile
                continue
            if b"--data" in words and words[words.index(b"--data") + 1].startswith(str(self.folder).encode()):
                found.append(process)
        return found

    def test_sessions_that_say_how_they_are_are_followed_by_an_observer(self):
        nodes = 100
        cluster = self.new_cluster(workers=0, observers=1)
        cluster.more["o1"] = ["--data", self.folder / "o1"]
        cluster.start()
        words = ["--brokers", cluster.broker_address, "--cluster", cluster.name, "--sessions", str(nodes), "--heartbeats"]
        with subprocess.Popen([BIN / "sessions", *words], preexec_fn=die_with_the_test) as sessions:
            self.addCleanup(sessions.kill)
            listed = [BIN / "cidbus-observer", "history", "list", "--data", self.folder / "o1", "--node", "s*", "--output", "quiet"]

            def measured(series):
                out = subprocess.run(listed, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False).stdout
                return sum(line.endswith(f" {series}") for line in out.splitlines())
            for series in ("silent_seconds", "slots_busy", "disk_free_bytes", "cpu_percent", "network_received_bytes_total"):
                wait_until(lambda series=series: measured(series) == nodes, f"{series} of every node is kept")
            sessions.kill()

    def test_many_sessions_answer_and_a_queue_can_be_filled(self):
        cluster = self.start_cluster(workers=0)
        row = cluster.ask("bench", "--tasks", "500", "--submit-only")[0]
        check_load(self, row, 500)
        self.assertEqual(cluster.ask("cluster", "status")["tasks"]["pending"], 500)
        workers = subprocess.Popen([BIN / "sessions", "--brokers", cluster.broker_address, "--cluster", cluster.name,
                                    "--sessions", "60", "--tasks", "100"])
        try:
            wait_until(lambda: len(cluster.members()) >= 60, "60 workers are members")
            check_load(self, cluster.ask("bench", "--tasks", "400", "--window", "100")[0], 400)
            wait_until(lambda: cluster.ask("cluster", "status")["tasks"]["completed"] == 901,
                       "the queue is empty, and the bench's tasks are done, with the one it does not count")
        finally:
            workers.kill()
            workers.wait()

    def test_the_yardstick_brings_every_task_back(self):
        for arguments in (["--window", "1"], ["--window", "500", "--workers", "3"], ["--window", "64", "--sessions", "40"],
                          ["--batch", "1", "--payload", "0"]):
            told = subprocess.run([BIN / "limit", "--tasks", "700", "--json", *arguments], check=True, timeout=PATIENCE_SECONDS,
                                  capture_output=True, text=True).stdout
            check_load(self, json.loads(told), 700)


if __name__ == "__main__":
    unittest.main()

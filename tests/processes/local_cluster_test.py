"""scripts/local-cluster, as a user types it: up, status, kill-leader, restart, logs, down, and what it refuses."""

import os
import subprocess
import unittest
import urllib.request

from cluster import BIN, ROOT, ClusterTest, Done, Ports


class LocalCluster(ClusterTest):
    def setUp(self):
        super().setUp()
        ports = Ports(bases=range(10000, 10080, 10), offsets=[*range(6), 70, 80, 88, 1000, 1001, 1200, 1300])
        self.addCleanup(ports.close)
        self.base = ports.base
        self.dir = self.folder / "local"
        self.addCleanup(self.script, "down")

    def script(self, *arguments, programs=BIN):
        done = subprocess.run([ROOT / "scripts/local-cluster", *arguments, "--dir", self.dir],
                              env=os.environ | {"CIDBUS_BIN": str(programs)}, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=120, check=False)
        return Done(["local-cluster", *arguments], done.returncode, done.stdout, done.stderr)

    def up(self, *arguments, **options):
        return self.script("up", "--no-tmux", "--base-port", str(self.base), *arguments, **options)

    def states(self):
        """name -> what status says of it."""
        words = [line.split(maxsplit=3) for line in self.script("status").out.splitlines()]
        return {name: state for _, name, _, state in words}

    def pid(self, name):
        return int((self.dir / f"{name}.pid").read_text())

    def test_a_cluster_comes_up_loses_its_leader_gets_it_back_and_goes_down(self):
        done = self.up("--workers", "1", "--leechers", "1")
        self.assertEqual(done.code, 0, str(done))
        for address in (f"{self.base}", f"{self.base + 1000}", f"{self.base + 80}", f"{self.base + 1200}",
                        f"{self.base + 70}"):
            self.assertIn(f"127.0.0.1:{address}", done.out)
        with urllib.request.urlopen(f"http://127.0.0.1:{self.base + 80}/readyz", timeout=10) as answer:
            self.assertEqual(answer.status, 200)
        self.assertEqual(set(self.states()), {"b1", "w1", "l1", "g1", "o1"})
        self.assertIn("leads", self.states()["b1"])

        self.assert_fails(self.up(), 1, "already up")

        worker, broker = self.pid("w1"), self.pid("b1")
        self.assertEqual(self.script("kill-leader").out, "b1\n")
        self.assertIn("down", self.states()["b1"])
        self.assertEqual(self.script("status").code, 1)
        done = self.script("restart", "b1")
        self.assertEqual(done.code, 0, str(done))
        self.assertNotEqual(self.pid("b1"), broker)
        self.assertEqual(self.script("restart", "w1").code, 0)
        self.assertNotEqual(self.pid("w1"), worker)
        self.assertEqual(self.script("status").code, 0)
        self.assertNotEqual(self.script("logs", "b1").out, "")

        done = self.script("down")
        self.assertEqual(done.code, 0, str(done))
        self.assertIn("Stopped: b1 w1 l1 g1 o1", done.out)
        self.assertEqual(set(self.states().values()), {"down"})
        self.assertTrue((self.dir / "b1").is_dir(), "data stays")
        self.assertEqual(self.script("down").code, 0, "nothing to stop is no fault")

    def test_what_it_cannot_do_is_one_line(self):
        self.assert_fails(self.script("status"), 1, "no cluster")
        self.assert_fails(self.up("--brokers", "6"), 1, "1 to 5")
        self.assert_fails(self.up("--leechers", "9"), 1, "at most 8")
        self.assert_fails(self.script("dance"), 2, "dance")
        self.assert_fails(self.up("--workers", "many"), 2, "many")

    def test_a_node_that_dies_is_named_with_the_end_of_its_log_and_nothing_is_left_running(self):
        programs = self.folder / "programs"
        programs.mkdir()
        for program in ("cidbus", "cidbus-broker", "cidbus-gateway", "cidbus-observer"):
            (programs / program).symlink_to(BIN / program)
        (programs / "cidbus-worker").write_text("#!/bin/sh\necho no room for me\nexit 1\n")
        (programs / "cidbus-worker").chmod(0o755)
        done = self.up(programs=programs)
        self.assertEqual(done.code, 1, str(done))
        self.assertIn("w1 died", done.err)
        self.assertIn("no room for me", done.err)
        self.assertEqual(list(self.dir.glob("*.pid")), [])

    def test_a_start_that_fails_half_way_leaves_nothing_running(self):
        self.dir.mkdir()
        (self.dir / "w1").write_text("a file where the worker's folder must be")
        done = self.up()
        self.assertNotEqual(done.code, 0)
        self.assertEqual(list(self.dir.glob("*.pid")), [])


if __name__ == "__main__":
    unittest.main()

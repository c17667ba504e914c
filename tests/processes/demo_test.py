"""scripts/demo, as it is typed on a fresh machine, but for what is installed and built already."""

import os
import re
import subprocess
import unittest
import urllib.request

import cids
from cluster import BIN, ROOT, ClusterTest, Done, Ports, wait_until


class Demo(ClusterTest):
    def setUp(self):
        super().setUp()
        ports = Ports(bases=range(10000, 12700, 45), offsets=[*range(6), 80, 1000, 1001])  # as local_cluster_test.py
        self.addCleanup(ports.close)
        self.base = str(ports.base)
        self.addCleanup(self.script, "local-cluster", "down")

    def script(self, name, *arguments):
        environment = os.environ | {"CIDBUS_BIN": str(BIN), "XDG_STATE_HOME": str(self.folder)}
        done = subprocess.run([ROOT / "scripts" / name, *arguments], env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=240, check=False)
        return Done([name, *arguments], done.returncode, done.stdout, done.stderr)

    def test_a_picture_is_resized_and_the_cluster_stays_up_for_another_one(self):
        for _ in range(2):
            done = self.script("demo", "--base-port", self.base)
            self.assertEqual(done.code, 0, str(done))
            self.assertRegex(done.out, r"original +JPEG 6028 x 3391, [\d,]+ bytes")
            self.assertRegex(done.out, r"result +JPEG 320 x 180, [\d,]+ bytes, by worker w[12] as task t\w+")
            self.assertRegex(done.out, r"times +add \d+\.\d{3} s, task \d+\.\d{3} s, from the gateway \d+\.\d{3} s")
            (url,) = re.findall(r"^ +(http://\S+/ipfs/\S+)$", done.out, re.MULTILINE)
            with urllib.request.urlopen(url, timeout=30) as answer:
                self.assertEqual(cids.cid_of_file(answer.read()), url.rpartition("/")[2])
            for advice in ("scripts/local-cluster attach", "scripts/local-cluster logs o1 -f", "scripts/local-cluster down"):
                self.assertIn(advice, done.out)
        self.assertIn("The cluster is up already", done.out)
        self.assertIn("process_content", self.script("local-cluster", "logs", "o1").out, "the observer has seen it")
        self.assertEqual(self.script("local-cluster", "down").code, 0)
        wait_until(lambda: self.script("local-cluster", "status").code == 1, "nothing of it runs")

    def test_a_cluster_with_keys_that_is_up(self):
        self.assertEqual(self.script("local-cluster", "up", "--keys", "--workers", "1", "--no-tmux", "--base-port", self.base).code, 0)
        done = self.script("demo")
        self.assertEqual((done.code, done.err), (0, ""), str(done))
        self.assertRegex(done.out, r"result +JPEG 320 x 180")

    def test_what_it_cannot_do_is_one_line(self):
        self.assert_fails(self.script("demo", "/nowhere.jpg"), 1, "/nowhere.jpg", "cannot be read")
        self.assert_fails(self.script("demo", "--fast"), 2, "usage")
        self.assert_fails(self.script("demo", "a", "b"), 2, "usage")
        self.assert_fails(self.script("demo", "--base-port", "many"), 2, "usage")


if __name__ == "__main__":
    unittest.main()

"""Three brokers, and a disk of one of them that is full or fails: it steps aside, the others go on, nothing is lost, and it
comes back."""

import subprocess
import unittest

from cluster import BIN, PATIENCE_SECONDS, ClusterTest, wait_until
from full_disk_test import SmallDisk
from steady import Steady

SHIM = BIN / "failing_sync.so"


class GroupDisk(ClusterTest):
    def let_lead(self, steady, name):
        """It leads, by order if not by itself: it would wait for half a minute."""
        def leads():
            if steady.wait_until_whole() != name:
                steady.cluster.cidbus("cluster", "handover", name)
            return steady.cluster.leader() == name
        wait_until(leads, f"{name} leads")

    def test_a_leader_whose_disk_is_full_hands_over_and_leads_again_with_room(self):
        disk = SmallDisk(self.folder / "disk-b1", 1024)
        self.addCleanup(disk.close)
        cluster = self.new_cluster(brokers=3, observers=1)
        cluster.data["b1"] = disk.folder / "data"
        steady = Steady(cluster.start())
        self.let_lead(steady, "b1")
        disk.fill()
        wait_until(lambda: cluster.leader() in ("b2", "b3"), "one with room leads")
        done = cluster.ask("submit", "echo", "--param", f"ballast={'x' * 60000}", "--wait")
        self.assertEqual(done["state"], "completed")
        self.assertTrue(cluster.runs("b1"), "a full disk is no reason to die")
        self.assertIn("room on the disk is", cluster.log("b1"))
        disk.make_room()
        wait_until(lambda: "room on the disk is roomy" in cluster.log("b1"), "b1 sees that there is room")
        self.let_lead(steady, "b1")
        steady.finish()

    def with_failing_sync(self, name):
        """A cluster under a client, with syncs of this broker failing while the file given exists."""
        if not SHIM.exists():
            self.skipTest("no failing_sync.so: sanitizers do not go with LD_PRELOAD")
        fails = self.folder / "sync-fails"
        cluster = self.new_cluster(brokers=3, observers=1)
        shim = ["env", f"LD_PRELOAD={SHIM}", f"CIDBUS_SYNC_FAILS={fails}"]
        cluster.prefix = lambda node: shim if node == name else []
        return cluster, Steady(cluster.start()), fails

    def assert_it_ends_and_comes_back(self, cluster, steady, name, fails):
        fails.touch()
        self.assertNotEqual(cluster.running[name].wait(PATIENCE_SECONDS), 0)
        self.assertIn("the disk failed", cluster.log(name))
        cluster.running.pop(name)
        wait_until(lambda: cluster.leader() not in (None, name), "another leads")
        self.assertEqual(cluster.ask("submit", "echo", "--wait")["state"], "completed")
        # As long as it fails, it does not come back.
        cluster.spawn(name)
        self.assertNotEqual(cluster.running.pop(name).wait(PATIENCE_SECONDS), 0)
        fails.unlink()
        cluster.spawn(name)
        steady.wait_until_whole()
        steady.finish()
        self.assertEqual(cluster.stop(name), 0)
        verified = subprocess.run([BIN / "cidbus-broker", "journal", "verify", cluster.data_folder(name)], check=False,
                                  capture_output=True, text=True, timeout=PATIENCE_SECONDS)
        self.assertEqual(verified.returncode, 0, verified.stdout + verified.stderr)

    def test_a_leader_whose_sync_fails_ends_at_once_and_another_goes_on(self):
        cluster, steady, fails = self.with_failing_sync("b1")
        self.let_lead(steady, "b1")
        self.assert_it_ends_and_comes_back(cluster, steady, "b1", fails)

    def test_a_standby_whose_sync_fails_ends_at_once_and_the_others_go_on(self):
        cluster, steady, fails = self.with_failing_sync("b3")
        self.let_lead(steady, "b1")
        self.assert_it_ends_and_comes_back(cluster, steady, "b3", fails)


if __name__ == "__main__":
    unittest.main()

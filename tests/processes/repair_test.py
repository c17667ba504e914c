"""Three brokers, one of them with a damaged journal: it is made whole by the others, and leads again. Alone it refuses."""

import shutil
import struct
import subprocess
import unittest

from cluster import BIN, PATIENCE_SECONDS, ClusterTest, wait_until

BATCHES_AT = 2 << 20
SECTOR = 512
MAGIC = b"cjb1"


def batches(segment):
    """The offsets of the batches in a segment, in order."""
    data = segment.read_bytes()
    return [offset for offset in range(BATCHES_AT, len(data), SECTOR) if data[offset + 4:offset + 8] == MAGIC]


def damage(segment, offset):
    """Changes some bytes of the batch there, in its first record."""
    with open(segment, "r+b") as file:
        file.seek(offset + 44)
        was = file.read(8)
        file.seek(offset + 44)
        file.write(struct.pack("<Q", struct.unpack("<Q", was)[0] ^ 0x5a5a5a5a5a5a))


class Repair(ClusterTest):
    def verify(self, cluster, name):
        return subprocess.run([BIN / "cidbus-broker", "journal", "verify", cluster.data_folder(name)], capture_output=True,
                              text=True, timeout=PATIENCE_SECONDS, check=False)

    def with_a_standby_down(self):
        """A cluster in which b1, the best in rank, is a standby that was stopped in order; and tasks that were accepted."""
        cluster = self.start_cluster(brokers=3)
        accepted = [cluster.ask("submit", "echo", "--wait")["id"] for _ in range(12)]
        self.assertEqual(cluster.stop("b1"), 0)
        wait_until(lambda: cluster.leader() in ("b2", "b3"), "another leads")
        self.assertEqual(self.verify(cluster, "b1").returncode, 0)
        return cluster, accepted

    def assert_it_leads_with_all(self, cluster, accepted):
        """Without the leader there are two, of which b1 is the better: it leads, and what was accepted is there."""
        leader = cluster.leader()
        if leader != "b1":
            cluster.kill(leader)
        wait_until(lambda: cluster.leader() == "b1", "the broker that was damaged leads")
        for task in accepted:
            self.assertEqual(cluster.ask("task", "show", task)["state"], "completed")
        self.assertEqual(cluster.ask("submit", "echo", "--wait")["state"], "completed")
        self.assertEqual(cluster.stop("b1"), 0)
        verified = self.verify(cluster, "b1")
        self.assertEqual(verified.returncode, 0, verified.stdout + verified.stderr)

    def test_damaged_batches_at_the_head_inside_and_at_the_tail_are_had_from_the_others(self):
        cluster, accepted = self.with_a_standby_down()
        segment = cluster.data_folder("b1") / "journal" / "segment-0000000001"
        offsets = batches(segment)
        self.assertGreater(len(offsets), 20)
        hurt = [offsets[0], offsets[len(offsets) // 2], offsets[-1]]
        for offset in hurt:
            damage(segment, offset)
        self.assertEqual(self.verify(cluster, "b1").returncode, 65)
        accepted += [cluster.ask("submit", "echo", "--wait")["id"] for _ in range(3)]
        cluster.start("b1")
        wait_until(lambda: cluster.log("b1").count("refilled a damaged batch") == len(hurt), "every hole is refilled")
        self.assert_it_leads_with_all(cluster, accepted)

    def test_a_journal_that_is_gone_is_brought_up_by_the_leader(self):
        cluster, accepted = self.with_a_standby_down()
        shutil.rmtree(cluster.data_folder("b1") / "journal")
        cluster.start("b1")
        wait_until(lambda: "has the whole journal of its group" in cluster.log("b1"), "it is whole again")
        self.assert_it_leads_with_all(cluster, accepted)

    def test_a_broker_whose_whole_folder_is_gone_is_not_let_in_until_the_others_are_restarted(self):
        cluster, accepted = self.with_a_standby_down()
        shutil.rmtree(cluster.data_folder("b1"))
        cluster.start("b1")
        for other in ("b2", "b3"):
            wait_until(lambda name=other: "b1 came back with another data folder" in cluster.log(name), f"{other} says so")
        wait_until(lambda: "knows this broker with another data folder" in cluster.log("b1"), "b1 says so too")
        accepted.append(cluster.ask("submit", "echo", "--wait")["id"])
        # With one of the two gone nobody may lead: the new b1 has forgotten what b1 promised.
        follower = "b2" if cluster.leader() == "b3" else "b3"
        cluster.kill(follower)
        wait_until(lambda: cluster.leader() is None, "nobody leads")
        cluster.start(follower)
        wait_until(lambda: cluster.leader() in ("b2", "b3"), "somebody leads again")
        # Restarted, the others know it by its new folder; it has no say before one of them has brought it up.
        for other in ("b2", "b3"):
            cluster.stop(other)
            cluster.start(other)
            wait_until(lambda: cluster.leader() is not None, "somebody leads again")
        wait_until(lambda: "has the whole journal of its group" in cluster.log("b1"), "it is brought up")
        self.assert_it_leads_with_all(cluster, accepted)

    def test_a_broker_alone_refuses_and_names_the_place(self):
        cluster = self.start_cluster(workers=1)
        for _ in range(3):
            cluster.ask("submit", "echo", "--wait")
        self.assertEqual(cluster.stop("b1"), 0)
        segment = cluster.data_folder("b1") / "journal" / "segment-0000000001"
        offset = batches(segment)[1]
        damage(segment, offset)
        refused = subprocess.run(cluster.command("b1"), capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
        self.assertEqual(refused.returncode, 65, refused.stderr)
        self.assertIn(f"segment-0000000001 at {offset}", refused.stderr)


if __name__ == "__main__":
    unittest.main()

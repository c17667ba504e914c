"""A full disk, at the broker and at a worker: refused with a reason, nothing accepted is lost, and works again."""

import json
import os
import shutil
import subprocess
import unittest

from cluster import ClusterTest, wait_until

MEGABYTE = 1 << 20


class SmallDisk:
    """A file system of its own, of a fixed size, that can be filled to the last byte and given room again."""

    def __init__(self, folder, megabytes):
        self.folder = folder
        folder.mkdir(parents=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise unittest.SkipTest(f"no small file system to fill: {done.stderr.strip()}")

    def fill(self):
        """Takes all the room that is left, with a file."""
        with open(self.folder / "filler", "ab", buffering=0) as filler:
            for size in (MEGABYTE, 4096, 1):
                try:
                    while filler.write(b"\0" * size):
                        pass
                except OSError:
                    pass

    def make_room(self):
        (self.folder / "filler").unlink()

    def free(self):
        return shutil.disk_usage(self.folder).free

    def close(self):
        subprocess.run(["umount", "-l", self.folder], check=True)


class FullDisk(ClusterTest):
    def small_disk(self, name, megabytes):
        disk = SmallDisk(self.folder / f"disk-{name}", megabytes)
        self.addCleanup(disk.close)
        return disk

    def test_a_key_for_which_there_is_no_room_is_not_half_made(self):
        disk = self.small_disk("keys", 1)
        disk.fill()
        self.assert_fails(self.new_cluster(workers=0).cidbus("keygen", "anna", "--dir", disk.folder), 75, "anna.key", "No space")
        self.assertEqual([path.name for path in disk.folder.iterdir()], ["filler"])

    def test_a_broker_whose_disk_is_full_refuses_and_loses_nothing_and_goes_on_with_room(self):
        disk = self.small_disk("b1", 1024)
        cluster = self.new_cluster(workers=1)
        cluster.data["b1"] = disk.folder / "data"
        cluster.start()
        accepted = [cluster.ask("submit", "echo", "--param", f"number={number}", "--wait")["id"] for number in range(5)]
        disk.fill()
        refused = None
        # The journal has some room of its own; tasks as large as allowed use it up.
        for number in range(2000):
            done = cluster.cidbus("submit", "echo", "--param", f"number={number}", "--param", f"ballast={'x' * 60000}",
                                  "--output", "json", "--timeout", "10s")
            if done.code != 0:
                refused = done
                break
            accepted.append(done.json()["id"])
        self.assertIsNotNone(refused, "a full disk should be refused at last")
        self.assert_fails(refused, 75, "disk")
        self.assertTrue(cluster.runs("b1"), "a full disk is no reason to die")
        self.assertEqual(cluster.ask("task", "show", accepted[0])["state"], "completed")
        disk.make_room()

        def accepted_again():
            return cluster.cidbus("submit", "echo", "--param", "number=again", "--wait", "--timeout", "5s").code == 0
        wait_until(accepted_again, "the broker accepts again, now that there is room")
        for task in accepted:
            self.assertEqual(cluster.ask("task", "wait", task)["state"], "completed")
        # ... and all of it was on disk.
        cluster.kill("b1")
        cluster.start("b1")
        for task in accepted:
            self.assertEqual(cluster.ask("task", "show", task)["state"], "completed")

    def test_a_worker_whose_disk_is_full_refuses_blocks_and_keeps_what_it_has_and_goes_on_with_room(self):
        disk = self.small_disk("w1", 1024)
        cluster = self.new_cluster(workers=1)
        cluster.data["w1"] = disk.folder / "data"
        cluster.start()
        kept = os.urandom(3 * MEGABYTE)
        cid = cluster.add(self.file("kept", kept))
        disk.fill()
        large = self.file("large", os.urandom(16 * MEGABYTE))
        done = cluster.cidbus("add", large, "--timeout", "20s")
        self.assert_fails(done, 75, "room")
        self.assertTrue(cluster.runs("w1"), "a full disk is no reason to die")
        self.assertEqual(cluster.ask("submit", "hash", "--input", cid, "--wait")["state"], "completed")
        disk.make_room()

        def added_again():
            return cluster.cidbus("add", large, "--timeout", "20s").code == 0
        wait_until(added_again, "the worker stores again, now that there is room")
        copy = self.folder / "copy"
        self.assertEqual(cluster.cidbus("get", cid, "-o", copy).code, 0)
        self.assertEqual(copy.read_bytes(), kept)

    def test_with_one_worker_full_the_other_still_takes_what_it_can(self):
        disk = self.small_disk("w1", 1024)
        cluster = self.new_cluster(workers=2)
        cluster.data["w1"] = disk.folder / "data"
        cluster.start()
        disk.fill()
        done = cluster.cidbus("add", self.file("some", os.urandom(8 * MEGABYTE)), "--timeout", "20s")
        # Two copies are promised and one node has room: refused, unless one copy is enough for the one who asks.
        self.assert_fails(done, 75, "room")
        done = cluster.cidbus("add", self.folder / "some", "--copies", "1", "--timeout", "20s", "--output", "json")
        self.assertEqual(done.code, 0, json.dumps(str(done)))


if __name__ == "__main__":
    unittest.main()

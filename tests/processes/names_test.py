"""Names and tags of content: given with add, found, moved, taken off, and there after the broker was killed."""

import os
import unittest

from cluster import ClusterTest


class Names(ClusterTest):
    def named(self, *arguments):
        """name -> (CID, tags) of what find finds."""
        found = self.cluster.cidbus("find", *arguments, "--output", "json")
        self.assertIn(found.code, (0, 1), str(found))
        return {entry["name"]: (entry["cid"], entry["tags"]) for entry in found.json()}

    def add(self, path, *arguments):
        done = self.cluster.cidbus("add", path, *arguments, "--output", "quiet")
        self.assertEqual(done.code, 0, str(done))
        return done.out.strip()

    def test_content_is_named_found_moved_and_forgotten_and_a_killed_broker_loses_no_name(self):
        self.cluster = self.start_cluster(workers=1)
        beach = self.add(self.file("beach", b"sand"), "--name", "holiday/beach", "--tag", "year=2026", "--tag", "kind=photo")
        hills = self.add(self.file("hills", b"grass"), "--name", "holiday/hills", "--tag", "year=2025")
        self.assertEqual(self.named(), {"holiday/beach": (beach, {"year": "2026", "kind": "photo"}),
                                        "holiday/hills": (hills, {"year": "2025"})})
        self.assertEqual(set(self.named("--name", "holiday/*")), {"holiday/beach", "holiday/hills"})
        self.assertEqual(set(self.named("--name", "*/b????")), {"holiday/beach"})
        self.assertEqual(set(self.named("--tag", "year=2025")), {"holiday/hills"})
        self.assertEqual(self.named("--tag", "year=2025", "--tag", "kind=photo"), {})
        self.assertEqual(self.cluster.cidbus("find", "--name", "nothing").code, 1)
        self.assertIn(f"{hills}  holiday/hills  year=2025", self.cluster.cidbus("find").out)

        sea = self.add(self.file("sea", b"water"), "--name", "holiday/beach")
        self.cluster.kill("b1")
        self.cluster.start("b1")
        self.assertEqual(self.named("--name", "holiday/beach"), {"holiday/beach": (sea, {})})
        self.assert_fails(self.cluster.cidbus("forget", "holiday/hill"), 1, "'holiday/hill'")
        self.assert_fails(self.cluster.cidbus("forget", "holiday/*"), 1, "'holiday/*'")
        self.assertEqual(self.cluster.cidbus("forget", "holiday/hills").code, 0)
        self.cluster.kill("b1")
        self.cluster.start("b1")
        self.assertEqual(set(self.named()), {"holiday/beach"})
        self.assert_fails(self.cluster.cidbus("forget", "holiday/hills"), 1, "'holiday/hills'")
        self.assertEqual(self.cluster.cidbus("cat", hills).out, "grass", "the content stays")

    def test_what_cannot_be_a_name_or_a_tag_is_told_in_a_line(self):
        self.cluster = self.new_cluster(workers=1)
        path = self.file("f", b"x")
        self.assert_fails(self.cluster.cidbus("add", path, "--tag", "a=b"), 2, "--name")
        self.assert_fails(self.cluster.cidbus("add", path, "--name", "x" * 256), 2, "--name", "255")
        self.assert_fails(self.cluster.cidbus("add", path, "--name", "a\nb"), 2, "control")
        self.assert_fails(self.cluster.cidbus("add", path, "--name", ""), 2, "--name", "cannot be empty")
        self.assert_fails(self.cluster.cidbus("forget", ""), 2, "cannot be empty")
        self.assert_fails(self.cluster.cidbus("add", path, "--name", "a\u202eb"), 2, "control")
        self.assert_fails(self.cluster.cidbus("add", path, "--name", os.fsdecode(b"caf\xe9")), 2, "UTF-8")
        self.assert_fails(self.cluster.cidbus("add", path, "--name", "a", "--tag", "k=1", "--tag", "k=2"), 2, "twice")
        self.assert_fails(self.cluster.cidbus("find", "--tag", "nonsense"), 2, "KEY=VALUE")
        self.assert_fails(self.cluster.cidbus("find", "--tag", "größe=1"), 2, "'größe' cannot be a key", "A-Z a-z 0-9")


if __name__ == "__main__":
    unittest.main()

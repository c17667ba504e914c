"""Task types that say what content is and bring it along, as a user would call them."""

import random
import unittest

from cluster import PHOTOGRAPH, ClusterTest, wait_until


class Handlers(ClusterTest):
    @staticmethod
    def blocks_of(cluster, name):
        """As it told in its last heartbeat; None while it is not alive."""
        return cluster.members().get(name, {}).get("blocks")

    def test_analyze(self):
        cluster = self.start_cluster(workers=1)
        values = cluster.ask("submit", "analyze", "--input", PHOTOGRAPH, "--wait")["result"]["values"]
        self.assertEqual(values["type"], "image/jpeg")
        self.assertEqual(values["size"], str(PHOTOGRAPH.stat().st_size))
        self.assertGreater(int(values["width"]), 0)
        text = self.file("notes.txt", "zwei Wörter\n".encode() * 100_000)
        values = cluster.ask("submit", "analyze", "--input", text, "--wait")["result"]["values"]
        self.assertEqual(values, {"type": "text/plain", "size": "1300000", "encoding": "utf-8", "lines": "100000",
                                  "words": "200000", "characters": "1200000"})

    def test_retrieve(self):
        cluster = self.start_cluster(workers=1)
        folder = self.folder / "stuff"
        folder.mkdir()
        large = random.Random(1).randbytes(1_500_001).hex()  # no two blocks alike: those are one
        (folder / "large").write_text(large, encoding="ascii")
        (folder / "small").write_text("z", encoding="utf-8")
        done = cluster.cidbus("add", "--recursive", folder, "--output", "quiet")
        root = done.out.strip()
        cluster.names.append("w2")
        cluster.start("w2")
        cluster.kill("w1")
        wait_until(lambda: "w1" not in cluster.members(), "the leader sees that w1 is gone")
        cluster.start("w1")  # w1 alone holds it
        held = wait_until(lambda: self.blocks_of(cluster, "w1"), "w1 has told how many blocks it has")
        wait_until(lambda: self.blocks_of(cluster, "w2") == 0, "w2 has told that it has none")

        def brought_to_w2():
            task = cluster.ask("submit", "retrieve", "--input", root, "--wait")
            self.assertEqual(task["result"]["cids"], [root])
            self.assertEqual(task["result"]["values"]["blocks"], str(held))
            self.assertGreater(int(task["result"]["values"]["bytes"]), 3_000_000)
            return task["worker"] == "w2"
        wait_until(brought_to_w2, "w2 was given one of the tasks")
        cluster.kill("w1")
        self.assertEqual(cluster.cidbus("cat", f"{root}/small").out, "z")
        self.assertEqual(cluster.cidbus("cat", f"{root}/large").out, large)

        self.assert_fails(cluster.cidbus("submit", "retrieve", "--wait"), 1, "exactly one input")

    def test_pin_and_unpin(self):
        cluster = self.start_cluster(workers=1)
        folder = self.folder / "stuff"
        folder.mkdir()
        (folder / "large").write_bytes(random.Random(2).randbytes(1_500_000))
        (folder / "small").write_text("z", encoding="utf-8")
        root = cluster.cidbus("add", "--recursive", folder, "--output", "quiet").out.strip()
        pins = cluster.data_folder("w1") / "pins"
        self.assertFalse(pins.exists(), "to add is not to pin")
        for _ in range(2):
            task = cluster.ask("submit", "pin", "--input", root, "--wait")
            self.assertEqual((task["worker"], task["result"]["cids"]), ("w1", [root]))
            blocks = int(task["result"]["values"]["blocks"])
            self.assertGreater(blocks, 3)
            wait_until(lambda: self.blocks_of(cluster, "w1") == blocks, "w1 has told how many blocks it has")
            self.assertEqual(pins.read_text(), root + "\n")
        cluster.kill("w1")
        cluster.start("w1")
        self.assertEqual(cluster.ask("submit", "unpin", "--input", root, "--wait")["result"]["cids"], [root])
        self.assertEqual(pins.read_text(), "")
        self.assert_fails(cluster.cidbus("submit", "unpin", "--input", root, "--retries", "0", "--wait"), 1,
                          f"{root} is not pinned on this worker")
        self.assertEqual(cluster.cidbus("cat", f"{root}/small").out, "z")

        cluster.kill("w1")
        pins.write_text("nonsense\n", encoding="utf-8")
        self.assertEqual(cluster.spawn("w1").wait(60), 65)
        self.assertIn(f"{pins}, line 1: ", cluster.log("w1"))


if __name__ == "__main__":
    unittest.main()

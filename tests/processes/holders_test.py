"""Content outlives the death of either node that holds it, and comes back damaged from none."""

import hashlib
import os
import shutil
import unittest

from cluster import PHOTOGRAPH, ClusterTest, wait_until


class Holders(ClusterTest):
    def setUp(self):
        super().setUp()
        self.content = os.urandom(5 << 20) + b"the end"
        self.path = self.file("content", self.content)

    def bytes_of(self, cluster, cid):
        copy = self.folder / "copy"
        done = cluster.cidbus("get", cid, "-o", copy)
        self.assertEqual(done.code, 0, str(done))
        content = copy.read_bytes()
        copy.unlink()
        return content

    def assert_whole(self, cluster, cid):
        self.assertEqual(self.bytes_of(cluster, cid), self.content)

    def test_what_add_returned_outlives_the_death_of_either_holder_and_of_its_disk(self):
        for dead in ("w1", "w2"):
            with self.subTest(dead=dead):
                cluster = self.start_cluster(workers=2)
                cid = cluster.add(self.path)
                cluster.kill(dead)
                shutil.rmtree(cluster.data_folder(dead))
                self.assert_whole(cluster, cid)
                cluster.close()

    def test_a_result_outlives_the_death_of_either_holder_and_of_its_disk(self):
        for dead in ("w1", "w2"):
            with self.subTest(dead=dead):
                cluster = self.start_cluster(workers=2)
                task = cluster.ask("submit", "process_content", "--input", PHOTOGRAPH, "--param", "transform=grayscale",
                                   "--wait")
                (cid,) = task["result"]["cids"]
                self.content = self.bytes_of(cluster, cid)
                cluster.kill(dead)
                shutil.rmtree(cluster.data_folder(dead))
                self.assert_whole(cluster, cid)
                cluster.close()

    def test_content_outlives_a_kill_of_all_nodes_at_once(self):
        cluster = self.start_cluster(workers=2)
        cid = cluster.add(self.path)
        for name in cluster.names:
            cluster.kill(name)
        cluster.start()
        self.assert_whole(cluster, cid)

    def test_one_worker_alone_may_hold_content_and_says_so_by_being_enough(self):
        cluster = self.start_cluster(workers=1)
        self.assert_whole(cluster, cluster.add(self.path))

    def test_a_worker_with_a_damaged_pack_says_what_is_lost_and_goes_on(self):
        cluster = self.start_cluster(workers=2)
        cid = cluster.add(self.path)
        cluster.stop("w1")
        (pack,) = cluster.data_folder("w1").glob("*.pack")
        with open(pack, "r+b") as file:
            file.seek(pack.stat().st_size // 2)
            file.write(b"rot" * 1000)
        cluster.start("w1")
        (line,) = [line for line in cluster.log("w1").splitlines() if "damaged" in line]
        for word in ("warning", str(pack), "lost here", "fetched again"):
            self.assertIn(word, line)
        self.assert_whole(cluster, cid)

    def test_a_worker_fetches_its_input_from_the_one_that_has_it(self):
        cluster = self.new_cluster(workers=2)
        cluster.start("b1", "w1")
        cid = cluster.add(self.path)
        cluster.start("w2")
        cluster.kill("w1")
        cluster.spawn("w1")
        wait_until(lambda: "w1" in cluster.members(), "w1 is back with its blocks")
        digest = hashlib.sha256(self.content).hexdigest()

        def run_by_w2():  # either worker may get it
            task = cluster.ask("submit", "hash", "--input", cid, "--wait")
            self.assertIn(digest, task["result"]["values"].values())
            return task["worker"] == "w2"
        wait_until(run_by_w2, "w2, which held nothing, was given one of the tasks")


if __name__ == "__main__":
    unittest.main()

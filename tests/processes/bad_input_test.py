"""Bad input: each kind ends with one clear line and the exit code that DESIGN promises."""

import unittest

import cids
from cluster import BIN, PHOTOGRAPH, ClusterTest, Ports


class BadInput(ClusterTest):
    def setUp(self):
        super().setUp()
        self.cluster = self.start_cluster(workers=2)

    def test_a_missing_file(self):
        self.assert_fails(self.cluster.cidbus("add", "/no/such/file"), 65, "/no/such/file", "no such file")
        done = self.cluster.cidbus("submit", "hash", "--input", "./no-such-file", "--wait")
        self.assert_fails(done, 65, "no-such-file")

    def test_an_unreadable_image(self):
        text = self.file("text.jpg", b"this is no picture\n" * 100)
        done = self.cluster.cidbus("submit", "process_content", "--input", text, "--param", "transform=resize",
                                   "--param", "width=320", "--wait")
        self.assert_fails(done, 1, "image")

    def test_a_picture_that_is_cut_off(self):
        cut = self.file("cut.jpg", PHOTOGRAPH.read_bytes()[:1000])
        done = self.cluster.cidbus("submit", "process_content", "--input", cut, "--param", "transform=resize",
                                   "--param", "width=320", "--wait")
        self.assert_fails(done, 1)

    def test_a_bad_parameter(self):
        picture = self.cluster.add(self.file("any", b"any"))
        for parameters in (["transform=fold"], ["transform=resize"], ["transform=resize", "width=minus"],
                           ["transform=resize", "width=0"], ["transform=resize", "width=10", "colour=red"]):
            with self.subTest(parameters):
                options = [word for parameter in parameters for word in ("--param", parameter)]
                done = self.cluster.cidbus("submit", "process_content", "--input", picture, *options, "--wait")
                self.assert_fails(done, 1)

    def test_an_unknown_task_type(self):
        done = self.cluster.cidbus("submit", "no_such_type", "--wait", "--timeout", "20s")
        self.assert_fails(done, 2, "no_such_type")

    def test_what_is_no_cid(self):
        for text in ("bafynotacid", "Qm", "zzzz", "b" * 300, ""):
            with self.subTest(text):
                self.assertIn(self.cluster.cidbus("get", text, "-o", self.folder / "out").code, (2, 65))
        self.assert_fails(self.cluster.cidbus("cat", "bafynotacid"), 65, "bafynotacid")

    def test_a_cid_that_nobody_holds_is_said_so_within_the_timeout(self):
        nobodys = cids.cid_of_raw(b"nobody holds this")
        done = self.cluster.cidbus("cat", nobodys, "--timeout", "5s", timeout=15)
        self.assert_fails(done, 1, nobodys)
        done = self.cluster.cidbus("submit", "hash", "--input", nobodys, "--wait", "--timeout", "30s", timeout=45)
        self.assert_fails(done, 1, nobodys)

    def test_an_unknown_task(self):
        self.assert_fails(self.cluster.cidbus("task", "show", "tzzzzz"), 1, "tzzzzz")

    def test_wrong_usage(self):
        for words in (["submit"], ["no-such-command"], ["submit", "echo", "--no-such-option"], ["task", "show", "???"]):
            with self.subTest(words):
                self.assertEqual(self.cluster.cidbus(*words).code, 2)

    def test_another_cluster(self):
        self.cluster.name = "another"
        self.assert_fails(self.cluster.cidbus("cluster", "status", "--timeout", "5s"), 77, "another")


class NoBroker(ClusterTest):
    def test_no_broker_ends_with_69_and_names_the_addresses_tried(self):
        cluster = self.new_cluster(workers=0)
        for words in (["cluster", "status"], ["submit", "echo"], ["add", BIN / "cidbus"], ["task", "list"]):
            with self.subTest(words):
                self.assert_fails(cluster.cidbus(*words, "--timeout", "3s"), 69, cluster.broker_address)

    def test_every_address_is_named(self):
        cluster = self.new_cluster(workers=0)
        ports = Ports()
        self.addCleanup(ports.close)
        other = f"127.0.0.1:{ports.base}"
        done = cluster.cidbus("cluster", "status", "--brokers", f"{cluster.broker_address},{other}", "--timeout", "3s")
        self.assert_fails(done, 69, cluster.broker_address, other)


if __name__ == "__main__":
    unittest.main()

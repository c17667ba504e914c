"""Members: their labels, what became of each, and watching it as it happens, also over a change of the leader."""

import json
import signal
import threading
import unittest

from cluster import ClusterTest, wait_until


class Members(ClusterTest):
    @staticmethod
    def told(changes, name, state):
        return any(change["name"] == name and change["to"] == state for change in list(changes))

    def test_labels_and_what_became_of_members_are_told(self):
        self.cluster = self.new_cluster(brokers=3, workers=2)
        self.cluster.more["w1"] = ["--label", "zone=attic,rack=3"]
        self.cluster.start()
        self.assertEqual(self.cluster.members()["w1"]["labels"], {"zone": "attic", "rack": "3"})
        self.assertEqual(self.cluster.members()["w2"]["labels"], {})
        self.assertGreater(self.cluster.members()["w2"]["resident_bytes"], 0)
        leader = self.cluster.members()[self.cluster.leader()]
        self.assertEqual((leader["resident_bytes"], leader["disk_free_bytes"]), (None, None), "it tells neither")
        self.assertIn("zone=attic,rack=3", self.cluster.cidbus("cluster", "members").out)

        changes = []
        watching = self.cluster.start_cidbus("cluster", "members", "--watch", "--output", "ndjson")
        self.addCleanup(lambda: watching.poll() is None and watching.kill())
        reader = threading.Thread(target=lambda: changes.extend(json.loads(line) for line in watching.stdout), daemon=True)
        reader.start()
        # What came before is not told, so it may have to be done more than once until the watch has begun.
        def killed_and_told():
            self.cluster.kill("w2")
            wait_until(lambda: "w2" not in self.cluster.members(), "w2 is missed")
            self.cluster.start("w2")
            return self.told(changes, "w2", "dead") and self.told(changes, "w2", "alive")
        wait_until(killed_and_told, "the watch tells how w2 died and came back")
        history = self.cluster.ask("cluster", "members", "--history")
        of_w2 = [change["to"] for change in history if change["name"] == "w2"]
        self.assertEqual(of_w2[:2], ["joining", "alive"])
        self.assertIn("dead", of_w2)
        self.assertEqual([change["number"] for change in history], list(range(1, len(history) + 1)))

        self.cluster.kill(wait_until(self.cluster.leader, "somebody leads"))
        self.cluster.wait_for_members("w1", "w2")
        self.assertEqual(self.cluster.stop("w1"), 0)
        wait_until(lambda: self.told(changes, "w1", "left"), "the watch goes on under the next leader")
        watching.send_signal(signal.SIGINT)
        self.assertEqual(watching.wait(60), 130)
        reader.join(60)
        for pipe in (watching.stdin, watching.stdout, watching.stderr):
            pipe.close()

    def test_a_label_that_is_none_is_told_in_a_line(self):
        self.cluster = self.new_cluster(workers=1)
        for label, word in (("zone", "key=value"), ("zone=a,zone=b", "two labels"), ("zone=a b", "no label")):
            self.cluster.more["w1"] = ["--label", label]
            self.assertEqual(self.cluster.spawn("w1").wait(60), 2)
            self.assertIn(word, self.cluster.log("w1").lower())


if __name__ == "__main__":
    unittest.main()

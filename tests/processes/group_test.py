"""A group of brokers as a person sees it: status, hand-over, one address that is enough, and the feed at any broker."""

import json
import signal
import unittest

from cluster import PATIENCE_SECONDS, ClusterTest, wait_until


class Status(ClusterTest):
    def brokers(self, cluster):
        """The exit code, the line of error, the whole answer, and its brokers by name."""
        done = cluster.cidbus("cluster", "status", "--output", "json")
        answer = done.json()
        return done.code, done.err, answer, {broker["name"]: broker for broker in answer["brokers"]}

    def test_each_broker_is_told_by_its_own_word_whichever_is_asked(self):
        cluster = self.start_cluster(brokers=3, workers=1)
        cluster.ask("submit", "echo", "--wait")
        for asked in cluster.broker_names:
            answer = cluster.ask("cluster", "status", brokers=cluster.address_of_broker(asked))
            self.assertEqual(answer["leader"], "b1")
            self.assertEqual(answer["quorum"],
                             {"held": True, "brokers": 3, "needed": 2, "reachable": 3, "tolerates": 1})
            self.assertEqual([broker["state"] for broker in answer["brokers"]], ["leader", "standby", "standby"])
            self.assertEqual([broker["priority"] for broker in answer["brokers"]], [8, 7, 6])
            self.assertEqual({broker["epoch"] for broker in answer["brokers"]}, {answer["epoch"]})
            for broker in answer["brokers"]:
                self.assertGreater(broker["last"], 2, f"{broker['name']} tells its own journal")
                self.assertIsNotNone(broker["lag"])
            self.assertEqual(answer["members"]["alive"], 2)
        table = cluster.cidbus("cluster", "status").out
        self.assertIn("yes: 2 of 3 brokers needed, 3 reachable", table)

    def test_a_dead_broker_is_unreachable_and_was_heard_last_when_it_lived(self):
        cluster = self.start_cluster(brokers=3, workers=1)
        cluster.kill("b3")
        cluster.ask("submit", "echo", "--wait")

        def told_as_dead():
            code, _, answer, brokers = self.brokers(cluster)
            dead = brokers["b3"]
            return code == 0 and answer["quorum"]["reachable"] == 2 and dead["state"] == "unreachable" and dead
        dead = wait_until(told_as_dead, "b3 is told as unreachable")
        self.assertIsNone(dead["last"], "not a broker with an empty journal")
        self.assertGreater(dead["lag"], 0, "the leader knows what it lacks")
        first = dead["last_contact"]
        self.assertIsNotNone(first)
        self.assertEqual(self.brokers(cluster)[3]["b3"]["last_contact"], first)

    def test_a_paused_broker_is_unreachable_too(self):
        cluster = self.start_cluster(brokers=3, workers=0)
        cluster.running["b2"].send_signal(signal.SIGSTOP)
        code, _, _, brokers = self.brokers(cluster)
        cluster.running["b2"].send_signal(signal.SIGCONT)
        self.assertEqual((code, brokers["b2"]["state"]), (0, "unreachable"))

    def test_without_a_majority_it_says_how_many_are_missing(self):
        cluster = self.start_cluster(brokers=3, workers=0)
        for name in ("b1", "b2"):
            cluster.kill(name)
        wait_until(lambda: self.brokers(cluster)[3]["b3"]["state"] == "electing", "b3 misses its leader")
        code, err, answer, brokers = self.brokers(cluster)
        self.assertEqual(code, 69)
        self.assertIn("2 of 3 brokers needed, 1 reachable; start one of b1, b2", err)
        self.assertEqual(answer["quorum"]["held"], False)
        self.assertIsNone(answer["leader"])
        self.assertIsNone(answer["tasks"])
        self.assertIsNotNone(brokers["b3"]["last"])
        self.assert_fails(cluster.cidbus("submit", "echo", "--timeout", "2s"), 69, "no broker is in office", "majority")

    def test_two_and_four_brokers_are_told_what_they_tolerate(self):
        for brokers, words in ((2, "2 brokers: tolerates the loss of none; three tolerate one"),
                               (4, "4 brokers: tolerates the loss of one, as three would; five tolerate two")):
            cluster = self.start_cluster(brokers=brokers, workers=0)
            for name in cluster.broker_names:
                self.assertIn(f"level=warning node={name} role=master msg=\"a group of {words}", cluster.log(name))
            cluster.close()

    def test_with_keys_only_who_has_one_is_told(self):
        cluster = self.start_cluster(brokers=3, workers=0, keys=True)
        answer = cluster.ask("cluster", "status", brokers=cluster.address_of_broker("b2"))
        self.assertEqual(answer["quorum"]["reachable"], 3)
        cluster.allow("person")
        wait_until(lambda: cluster.cidbus("cluster", "status", timeout=20).code == 77, "the key is good no more")


class Handover(ClusterTest):
    def test_the_office_goes_where_it_is_told_and_nothing_is_lost_meanwhile(self):
        cluster = self.start_cluster(brokers=3)
        batch = "".join(json.dumps({"type": "echo", "params": {"n": str(number)}}) + "\n" for number in range(4000))
        process = cluster.start_cidbus("submit", "--batch", "-", "--wait", "--output", "ndjson")
        process.stdin.write(batch)
        process.stdin.close()
        out = process.stdout.readline()
        for successor in ("b3", "b2", "b1"):
            before = cluster.ask("cluster", "leader")["epoch"]
            answer = cluster.ask("cluster", "handover", successor)
            self.assertEqual(answer["leader"], successor)
            self.assertGreater(answer["epoch"], before)
            self.assertEqual(cluster.leader(), successor)
        out += process.stdout.read()
        self.assertEqual(process.wait(PATIENCE_SECONDS), 0, process.stderr.read())
        process.stdout.close()
        process.stderr.close()
        answers = [json.loads(line) for line in out.splitlines()]
        self.assertEqual([answer["result"]["values"]["n"] for answer in answers], [str(n) for n in range(4000)])
        self.assertEqual({answer["attempts"] for answer in answers}, {1}, "nothing was started again")

    def test_to_nobody_in_particular_it_goes_to_the_best(self):
        cluster = self.start_cluster(brokers=3, workers=0)
        done = cluster.cidbus("cluster", "handover")
        self.assertEqual((done.code, done.err), (0, ""), str(done))
        self.assertRegex(done.out, r"^b2 leads, epoch \d+\n$")

    def test_it_is_refused_with_the_reason(self):
        cluster = self.start_cluster(brokers=3, workers=0)
        self.assert_fails(cluster.cidbus("cluster", "handover", "b9"), 2, "b9", "b1, b2, b3")
        self.assertEqual(cluster.ask("cluster", "handover", "b1")["leader"], "b1")  # it leads already
        cluster.kill("b2")
        self.assert_fails(cluster.cidbus("cluster", "handover", "b2"), 75, "b2 does not answer", "b1 leads")
        cluster.kill("b3")
        wait_until(lambda: cluster.leader() is None, "the leader has stepped down")
        self.assert_fails(cluster.cidbus("cluster", "handover", "b2"), 69, "2 of 3 brokers needed, 1 reachable")

    def test_a_broker_alone_has_nobody_to_hand_it_to(self):
        cluster = self.start_cluster(workers=0)
        self.assert_fails(cluster.cidbus("cluster", "handover"), 2, "b1 is alone")

    def test_an_observers_key_may_look_but_not_hand_over(self):
        cluster = self.start_cluster(brokers=3, workers=0, keys=True)
        self.assertEqual(cluster.ask("cluster", "handover", "b2")["leader"], "b2")
        cluster.make_key("looker", "observer")
        cluster.allow()
        looker = ["--key-file", cluster.keys / "looker.key"]
        wait_until(lambda: cluster.cidbus("cluster", "handover", "b3", *looker).code == 77, "it is refused")
        self.assertEqual(cluster.leader(), "b2")


class OneAddressIsEnough(ClusterTest):
    def told_of_one(self, keys):
        """Workers, a gateway and a client that are told of one standby, which then dies; then the leader dies, too."""
        cluster = self.new_cluster(brokers=3, workers=2, gateways=1, keys=keys)
        only = cluster.address_of_broker("b3")
        cluster.given = {"w1": only, "w2": only, "g1": only}
        cluster.start()
        wait_until(lambda: cluster.cidbus("cluster", "status", brokers=only).code == 0, "b3 tells how the group is")
        self.assertEqual(cluster.leader(), "b1")
        batch = "".join(json.dumps({"type": "echo", "params": {"n": str(number)}}) + "\n" for number in range(20000))
        process = cluster.start_cidbus("submit", "--batch", "-", "--wait", "--output", "ndjson", brokers=only)
        try:
            process.stdin.write(batch)
            process.stdin.close()
        except BrokenPipeError:
            self.fail(f"the client gave up: {process.stderr.read()}")
        out = process.stdout.readline()
        cluster.kill("b3")
        out += "".join(process.stdout.readline() for _ in range(1000))
        cluster.start("b3")
        cluster.kill("b1")
        out += process.stdout.read()
        self.assertEqual(process.wait(PATIENCE_SECONDS), 0, process.stderr.read())
        process.stdout.close()
        process.stderr.close()
        answers = [json.loads(line) for line in out.splitlines()]
        self.assertEqual([answer["result"]["values"]["n"] for answer in answers], [str(n) for n in range(20000)])
        self.assertEqual({answer["state"] for answer in answers}, {"completed"})
        wait_until(lambda: {"w1", "w2", "g1"} <= cluster.members().keys(), "all have followed")
        # What is opened later in a process finds them as well: content goes through connections of its own.
        cid = cluster.add(self.file("note", b"a note"))
        self.assertEqual(cluster.ask("submit", "hash", "--input", cid, "--wait")["state"], "completed")

    def test_whoever_is_told_of_one_standby_learns_of_the_others_and_survives_its_death(self):
        self.told_of_one(keys=False)

    def test_with_keys_as_well(self):
        self.told_of_one(keys=True)


class FeedAtAStandby(ClusterTest):
    def events(self, cluster, name="o1"):
        events = []
        for line in cluster.log(name).splitlines():
            if line.startswith("{") and line.endswith("}"):
                events.append(json.loads(line))
        return events

    def watched_from_one(self, keys):
        """An observer that was told of b3 alone sees all that the leader's feed says, and goes on when b1 dies."""
        cluster = self.new_cluster(brokers=3, workers=1, observers=1, keys=keys)
        cluster.given = {"o1": cluster.address_of_broker("b3")}
        cluster.start()
        wait_until(lambda: any(event["event"] == "counters" for event in self.events(cluster)), "the feed comes")

        def completed():
            return {event["id"] for event in self.events(cluster)
                    if event["event"] == "task" and event["state"] == "completed"}
        before = {cluster.ask("submit", "echo", "--wait")["id"] for _ in range(20)}
        wait_until(lambda: before <= completed(), "every task is seen")
        cluster.kill("b1")
        after = {cluster.ask("submit", "echo", "--wait")["id"] for _ in range(20)}
        wait_until(lambda: after <= completed(), "every task of the next leader is seen")
        events = self.events(cluster)
        self.assertEqual([event for event in events if event["event"] == "gap" and event["publisher"][0] == "b"], [])
        leads = cluster.leader()
        said = {(event["publisher"], event["word"]) for event in events if event["event"] == "election"}
        other = ({"b2", "b3"} - {leads}).pop()
        self.assertLessEqual({(leads, "ELECTION"), (other, "AYE"), (leads, "VOTE_REQ"), (other, "VOTE"),
                              (leads, "COORDINATOR")}, said)

    def test_it_is_whole_across_a_change_of_leader_with_the_election_in_it(self):
        self.watched_from_one(keys=False)

    def test_with_keys_as_well(self):
        self.watched_from_one(keys=True)


if __name__ == "__main__":
    unittest.main()

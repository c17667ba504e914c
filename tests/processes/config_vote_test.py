"""Configuration by vote, as a person types it: proposed, voted on by every node, in force everywhere, rolled back; by hand; and over a killed leader."""

import json
import unittest

from cluster import ClusterTest, wait_until


class ConfigVote(ClusterTest):
    def versions(self):
        """name -> version of the configuration it lives by: of brokers by their own word, of workers by their heartbeat."""
        status = self.cluster.cidbus("cluster", "status", "--output", "json")
        brokers = status.json()["brokers"] if status.code == 0 else []
        told = {broker["name"]: broker["config_version"] for broker in brokers if broker["state"] != "unreachable"}
        told.update({name: member["config_version"] for name, member in self.cluster.members().items() if name[0] == "w"})
        return told

    def wait_for_version(self, version, *names):
        wait_until(lambda: all(self.versions().get(name) == version for name in names),
                   f"{', '.join(names)} live by version {version}")

    def value(self, key):
        done = self.cluster.cidbus("config", "get", key, "--output", "quiet")
        return done.out.strip() if done.code == 0 else None

    def propose(self, *arguments, code=0):
        done = self.cluster.cidbus("config", "propose", *arguments, "--output", "json")
        self.assertEqual(done.code, code, str(done))
        return done.json() if done.out else done

    def leader(self):
        return wait_until(self.cluster.leader, "somebody leads")

    def heartbeats_within_a_second(self, name, count):
        """Whether the observer has heard so many of the node within less than a second of the node's own clock."""
        times = []
        for line in self.cluster.log("o1").splitlines():
            event = json.loads(line) if line.startswith("{") else {}
            if event.get("event") == "heartbeat" and event.get("name") == name:
                hours, minutes, seconds = event["time"][11:-1].split(":")
                times.append(int(hours) * 3600 + int(minutes) * 60 + float(seconds))
        return any(0 <= last - first < 1 for first, last in zip(times, times[count - 1:]))

    def test_what_is_accepted_moves_every_node_and_survives_the_leader(self):
        self.cluster = self.start_cluster(brokers=3, workers=2, observers=1)
        everybody = ("b1", "b2", "b3", "w1", "w2")
        accepted = self.propose("heartbeat_interval", "200ms", "--wait")
        self.assertEqual((accepted["status"], accepted["value"], accepted["version"]), ("accepted", "200ms", 1))
        self.assertEqual(accepted["votes"]["eligible"], 5)
        self.assertGreaterEqual(accepted["votes"]["positive"], 3)
        self.wait_for_version(1, *everybody)
        wait_until(lambda: self.heartbeats_within_a_second("w1", 3), "w1's heartbeats come more often")
        self.assertIn('"event":"proposal"', self.cluster.log("o1").replace(" ", ""))

        # In the state of every broker: of finished tasks only the last one is kept.
        task = self.cluster.cidbus("submit", "echo", "--wait", "--output", "json").json()["id"]
        self.assertEqual(self.cluster.cidbus("task", "show", task).code, 0)
        self.assertEqual(self.propose("finished_kept", "1", "--wait")["version"], 2)
        for _ in range(2):
            self.cluster.cidbus("submit", "echo", "--wait")
        wait_until(lambda: self.cluster.cidbus("task", "show", task).code == 1, "the first task is forgotten")

        killed = self.leader()
        self.cluster.kill(killed)
        left = [name for name in everybody if name != killed]
        wait_until(lambda: self.value("heartbeat_interval") == "200ms", "the next leader knows what was accepted")
        self.assertEqual(self.propose("heartbeat_interval", "2s", code=2).code, 2, "three of them would be more than a timeout")
        self.assertEqual(self.propose("lease_length", "20s", "--wait")["version"], 3)
        self.wait_for_version(3, *left)
        self.cluster.start(killed)
        self.wait_for_version(3, *everybody)

        back = self.propose("heartbeat_interval", "--as-of", "0", "--wait")
        self.assertEqual((back["value"], back["version"]), ("1s", 4))
        history = self.cluster.ask("config", "history")
        self.assertEqual([(one["subject"], one["value"], one["version"]) for one in history],
                         [("heartbeat_interval", "1s", 4), ("lease_length", "20s", 3), ("finished_kept", "1", 2),
                          ("heartbeat_interval", "200ms", 1)])
        self.assertIn("4        ", self.cluster.cidbus("config", "get").out)

    def test_by_hand_a_person_votes_once_for_each_and_the_leader_may_die_meanwhile(self):
        self.cluster = self.new_cluster(brokers=3, workers=2)
        for name in self.cluster.broker_names + ["w1", "w2"]:
            self.cluster.more[name] = ["--vote-by-hand"]
        self.cluster.start()
        late = self.cluster.cidbus("config", "propose", "lease_length", "10s", "--deadline", "1s", "--wait")
        self.assert_fails(late, 1, "proposal 1 is expired", "deadline")

        self.assertEqual(self.propose("lease_length", "10s", "--deadline", "10m")["status"], "pending")
        again = self.cluster.cidbus("config", "propose", "lease_length", "20s")
        self.assert_fails(again, 75, "proposal 2 about lease_length is open")
        self.assertEqual(self.cluster.ask("config", "vote", "2", "yes", "--node", "w1")["votes"]["positive"], 1)
        self.assert_fails(self.cluster.cidbus("config", "vote", "2", "no", "--node", "w1"), 77, "'w1' has voted the other way")
        self.assert_fails(self.cluster.cidbus("config", "vote", "2", "yes", "--node", "w9"), 77, "'w9' has no vote")
        self.assert_fails(self.cluster.cidbus("config", "vote", "9", "yes"), 2, "proposal 9 is not known")
        no = self.cluster.ask("config", "vote", "2", "no", "--node", "w2", "--reason", "too short for it")
        self.assertEqual(no["votes"]["negative"], 1)

        killed = self.leader()
        self.cluster.kill(killed)
        wait_until(lambda: self.cluster.cidbus("config", "proposals", "2").code == 0, "the next leader knows of it")
        open_ones = self.cluster.ask("config", "proposals")
        self.assertEqual([(one["id"], one["votes"]["total"]) for one in open_ones], [(2, 2)])
        self.cluster.cidbus("config", "vote", "2", "yes")
        decided = wait_until(lambda: (told := self.cluster.ask("config", "proposals", "2"))["status"] != "pending" and told, "it is decided")
        self.assertEqual((decided["status"], decided["version"]), ("accepted", 1))
        self.assertEqual([vote["reason"] for vote in decided["votes"]["cast"] if not vote["yes"]], ["too short for it"])
        self.assertEqual(self.value("lease_length"), "10s")
        self.assert_fails(self.cluster.cidbus("config", "vote", "2", "no", "--node", killed), 77, "is decided", "too late")

    def test_a_forbidden_node_is_cut_off_until_it_is_let_in_again(self):
        self.cluster = self.start_cluster(brokers=1, workers=2)
        self.assert_fails(self.cluster.cidbus("cluster", "forbid", "b1"), 2, "broker of the group")
        forbidden = self.cluster.ask("cluster", "forbid", "w2", "--wait")
        self.assertEqual((forbidden["type"], forbidden["status"], forbidden["votes"]["eligible"]),
                         ("membership_change", "accepted", 2), "the node itself has no vote")
        wait_until(lambda: "w2" not in self.cluster.members(), "w2 is no member")
        wait_until(lambda: "'w2' was forbidden this cluster by vote" in self.cluster.log("w2"), "it is told why")
        self.assertEqual(self.cluster.cidbus("submit", "echo", "--wait").code, 0, "the others work on")
        self.cluster.kill("b1")
        self.cluster.start("b1")
        self.assertNotIn("w2", self.cluster.members(), "also by the next leader")
        self.assertEqual(self.cluster.ask("cluster", "allow", "w2", "--wait")["status"], "accepted")
        wait_until(lambda: "w2" in self.cluster.members(), "w2 is back")

    def test_what_makes_no_sense_is_told_in_a_line(self):
        self.cluster = self.start_cluster(brokers=1, workers=0)
        self.assert_fails(self.cluster.cidbus("config", "propose", "lease_lenght", "10s"), 2, "did you mean 'lease_length'?")
        self.assert_fails(self.cluster.cidbus("config", "propose", "lease_length", "1s"), 2, "from 3s to 1h")
        self.assert_fails(self.cluster.cidbus("config", "propose", "lease_length"), 2, "give a value")
        self.assert_fails(self.cluster.cidbus("config", "propose", "lease_length", "--as-of", "7"), 2, "there is no version 7")
        self.assert_fails(self.cluster.cidbus("config", "propose", "node_timeout", "2s"), 2, "three times heartbeat_interval")
        self.assert_fails(self.cluster.cidbus("config", "vote", "1", "perhaps"), 2, "perhaps")
        self.assert_fails(self.cluster.cidbus("config", "propose", "task_timeout_default", "0s"), 2, "or none")
        for more in ((), ("--node", "b1")):
            self.assert_fails(self.cluster.cidbus("config", "vote", "77", "yes", *more), 2, "no", "proposal")
        self.assert_fails(self.cluster.cidbus("role", "set", "nosuch", "gateway"), 2, "there is no node 'nosuch'")
        done = self.cluster.cidbus("cluster", "forbid", "nosuch", "--wait")
        self.assertEqual(done.code, 0, str(done))
        self.assertIn("no member 'nosuch' is known now", done.err)
        self.assertEqual(self.propose("lease_length", "10s", "--wait")["votes"]["eligible"], 1, "a lone broker decides")
        self.assertEqual(self.value("lease_length"), "10s")


if __name__ == "__main__":
    unittest.main()

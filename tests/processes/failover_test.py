"""Three brokers: whoever of them is killed, stopped or paused, every accepted task is answered, once and in order."""

import json
import signal
import unittest

from cluster import PATIENCE_SECONDS, ClusterTest, wait_until
from steady import Steady, percentile

KILLS = 8
TASKS = 4000


class Failover(ClusterTest):
    def batch(self, tasks=TASKS):
        return "".join(json.dumps({"type": "echo", "params": {"n": str(number)}}) + "\n" for number in range(tasks))

    def assert_each_once_in_order(self, out, tasks=TASKS):
        answers = [json.loads(line) for line in out.splitlines()]
        self.assertEqual([answer["result"]["values"]["n"] for answer in answers], [str(n) for n in range(tasks)])
        self.assertEqual(len({answer["id"] for answer in answers}), tasks)
        self.assertEqual({answer["state"] for answer in answers}, {"completed"})

    def while_a_batch_runs(self, cluster, hurt):
        """Calls hurt() once the batch has begun to be answered; gives what it printed."""
        process = cluster.start_cidbus("submit", "--batch", "-", "--wait", "--output", "ndjson")
        process.stdin.write(self.batch())
        process.stdin.close()
        first = process.stdout.readline()
        hurt()
        rest = process.stdout.read()
        self.assertEqual(process.wait(PATIENCE_SECONDS), 0, process.stderr.read())
        process.stdout.close()
        process.stderr.close()
        return first + rest

    def test_leaders_killed_and_paused_in_a_row_lose_nothing_and_answer_nothing_twice(self):
        cluster = self.start_cluster(brokers=3, observers=1)
        steady = Steady(cluster)
        for _ in range(KILLS // 4):
            for _ in range(4):
                steady.kill_leader()
            steady.pause("leader")
        steady.pause("standby")
        steady.wait_until_whole()
        steady.finish()
        print(steady.table())
        won = steady.check_winners()
        print(won)
        self.assertGreaterEqual(won["elections"], KILLS)
        # On a busy machine a better one may come too late, and says so by its silence; not as a rule. One that is in time is
        # passed over only in a moment in which it holds back for a third (docs/reliability.md).
        self.assertLessEqual(won["late"], won["elections"] // 2)
        self.assertLessEqual(won["passed over"], 1)
        self.assertLess(percentile(steady.times["leader killed"], 0.5), 1000, "milliseconds; tests/soak says how fast it is")

    def test_a_leader_that_is_stopped_in_order_hands_its_office_over(self):
        cluster = self.start_cluster(brokers=3)
        leader = cluster.leader()
        out = self.while_a_batch_runs(cluster, lambda: self.assertEqual(cluster.stop(leader), 0))
        self.assert_each_once_in_order(out)
        self.assertIn("handed over", cluster.log(leader))
        self.assertNotIn(cluster.leader(), (None, leader))

    def test_a_leader_that_is_paused_is_deposed_and_follows_when_it_wakes(self):
        cluster = self.start_cluster(brokers=3)
        leader = cluster.leader()

        def pause():
            cluster.running[leader].send_signal(signal.SIGSTOP)
            wait_until(lambda: cluster.leader() not in (None, leader), "another leads")

        out = self.while_a_batch_runs(cluster, pause)
        cluster.running[leader].send_signal(signal.SIGCONT)
        self.assert_each_once_in_order(out)
        newest = cluster.ask("submit", "echo", "--wait")
        self.assertEqual(newest["state"], "completed")

        def has_caught_up():
            brokers = {broker["name"]: broker for broker in cluster.ask("cluster", "status")["brokers"]}
            leads = cluster.leader()
            return leads is not None and brokers[leader]["durable"] == brokers[leads]["durable"]
        wait_until(has_caught_up, f"{leader} holds what the leader holds")

        def states_are_equal():
            brokers = cluster.ask("cluster", "status")["brokers"]
            newest = max(broker["applied"] or 0 for broker in brokers) // 64 * 64
            return all(broker["trust"] == "good" and broker["agreed"] == newest > 0 for broker in brokers)
        wait_until(states_are_equal, "all have compared their states")

    def test_without_a_majority_nothing_is_accepted_and_with_one_again_everything_goes_on(self):
        cluster = self.start_cluster(brokers=3)
        before = cluster.ask("submit", "echo", "--wait")["id"]
        leader = cluster.leader()
        standbys = [name for name in cluster.broker_names if name != leader]
        for name in standbys:
            cluster.kill(name)
        wait_until(lambda: cluster.leader() is None, "the leader has stepped down")
        self.assertNotEqual(cluster.cidbus("submit", "echo", "--timeout", "2s").code, 0)
        cluster.start(standbys[0])
        self.assertEqual(cluster.ask("task", "show", before)["state"], "completed")
        self.assertEqual(cluster.ask("submit", "echo", "--wait")["state"], "completed")


if __name__ == "__main__":
    unittest.main()

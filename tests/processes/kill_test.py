"""kill -9 of broker and of workers, again and again, under 20,000 tasks: all that was accepted is completed, once."""

import json
import queue
import threading
import unittest

from cluster import PATIENCE_SECONDS, ClusterTest, wait_until

TASKS = 20_000
KILLS = 10


def echo_task(number):
    """A line of a batch: a task that answers its number."""
    return json.dumps({"type": "echo", "params": {"number": str(number)}}) + "\n"


class Batch:
    """`cidbus submit --batch - --wait`, fed from a thread of its own; its answers are read by another."""

    def __init__(self, cluster):
        self.process = cluster.start_cidbus("submit", "--batch", "-", "--wait", "--output", "ndjson")
        self.given = queue.Queue()
        self.answers = []
        self.answered = threading.Condition()
        self.errors = []
        self.threads = [threading.Thread(target=work, daemon=True)
                        for work in (self.write_tasks, self.read_answers, self.read_errors)]
        for thread in self.threads:
            thread.start()

    def write_tasks(self):
        for line in iter(self.given.get, None):
            self.process.stdin.write(line)
        self.process.stdin.close()

    def read_answers(self):
        for line in self.process.stdout:
            with self.answered:
                self.answers.append(json.loads(line))
                self.answered.notify_all()

    def wait_for_more_than(self, count):
        """Until so many are answered, and not a moment longer: what comes next should meet tasks under way."""
        with self.answered:
            if not self.answered.wait_for(lambda: len(self.answers) > count, PATIENCE_SECONDS):
                raise AssertionError(f"{len(self.answers)} answers after {PATIENCE_SECONDS} s: {''.join(self.errors)}")

    def read_errors(self):
        self.errors += self.process.stderr.readlines()

    def give(self, numbers):
        """Hands in an echo task a number; each answers its number."""
        self.given.put("".join(echo_task(number) for number in numbers))

    def end(self):
        """No more tasks; gives the exit code once every one is answered."""
        self.given.put(None)
        for thread in self.threads:
            thread.join(PATIENCE_SECONDS)
        self.process.stdout.close()
        self.process.stderr.close()
        return self.process.wait(PATIENCE_SECONDS)


class Kill(ClusterTest):
    def assert_every_task_is_completed_once(self, cluster, batch):
        """By what the client was told, and by what the broker has recorded."""
        self.assertEqual(batch.end(), 0, "".join(batch.errors))
        answers = batch.answers
        self.assertEqual({answer["state"] for answer in answers}, {"completed"})
        numbers = [int(answer["result"]["values"]["number"]) for answer in answers]
        self.assertEqual(numbers, list(range(TASKS)), "an answer a task, in order, its own")
        ids = {answer["id"] for answer in answers}
        self.assertEqual(len(ids), TASKS, "an id of its own for each task")
        recorded = cluster.ask("task", "list", "--limit", str(TASKS * 2))
        self.assertEqual({task["id"]: task["state"] for task in recorded}, dict.fromkeys(ids, "completed"))
        self.assertEqual(len(recorded), TASKS, "no task that nobody asked for")

    def run_with_kills(self, cluster, kill):
        """Tasks in portions; when the first of a portion is answered, and the rest is under way, kill(portion)."""
        batch = Batch(cluster)
        portion, hits = TASKS // KILLS, 0
        for number in range(KILLS):
            batch.give(range(number * portion, (number + 1) * portion))
            batch.wait_for_more_than(number * portion)
            hits += len(batch.answers) < (number + 1) * portion
            kill(number)
        self.assertGreater(hits, KILLS // 2, "kills should come while there is work")
        return batch

    def test_a_broker_killed_ten_times_loses_nothing_and_records_nothing_twice(self):
        cluster = self.start_cluster(workers=2, slots=4)

        def kill(_):
            cluster.kill("b1")
            cluster.spawn("b1")

        self.assert_every_task_is_completed_once(cluster, self.run_with_kills(cluster, kill))

    def test_workers_killed_ten_times_in_turn_lose_nothing(self):
        cluster = self.start_cluster(workers=2, slots=4)

        def kill(number):
            name = f"w{number % 2 + 1}"
            cluster.kill(name)
            cluster.spawn(name)

        self.assert_every_task_is_completed_once(cluster, self.run_with_kills(cluster, kill))

    def test_all_nodes_killed_at_once_go_on_where_they_were(self):
        cluster = self.start_cluster(workers=2, slots=4)

        def kill(number):
            if number % 3 == 0:
                for name in cluster.names:
                    cluster.kill(name)
                for name in cluster.names:
                    cluster.spawn(name)

        self.assert_every_task_is_completed_once(cluster, self.run_with_kills(cluster, kill))

    def test_tasks_accepted_before_a_kill_are_there_and_run_when_nobody_waits_for_them(self):
        cluster = self.new_cluster(workers=1).start("b1")
        lines = "".join(echo_task(number) for number in range(100))
        # A type must be offered by a worker once, before tasks of it are accepted without one.
        cluster.start("w1")
        cluster.kill("w1")
        wait_until(lambda: "w1" not in cluster.members(), "the broker knows that w1 is gone")
        accepted = cluster.cidbus("submit", "--batch", "-", "--output", "ndjson", given=lines)
        self.assertEqual(accepted.code, 0, str(accepted))
        ids = [task["id"] for task in accepted.lines()]
        cluster.kill("b1")
        cluster.start("b1")
        self.assertEqual({cluster.ask("task", "show", task)["state"] for task in ids[:3] + ids[-3:]}, {"pending"})
        cluster.start("w1")
        done = [cluster.ask("task", "wait", task) for task in ids]
        self.assertEqual([int(task["result"]["values"]["number"]) for task in done], list(range(100)))


if __name__ == "__main__":
    unittest.main()

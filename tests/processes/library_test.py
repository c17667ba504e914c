"""Programs on the public libraries, as a user writes and runs them: their handlers run tasks of the command, their
tasks are run by the cluster, and of a broker's death they see latency and nothing else."""

import os
import signal
import subprocess
import threading
import unittest

from cluster import BIN, PATIENCE_SECONDS, ClusterTest, die_with_the_test, wait_until

TASKS = 60_000
FILES = 300


class Library(ClusterTest):
    def start_program(self, cluster, *arguments, **options):
        """A program on the library: it finds the cluster as the command does, by its environment."""
        place = {"CIDBUS_BROKERS": cluster.broker_address, "CIDBUS_CLUSTER": cluster.name}
        # pylint: disable=consider-using-with,subprocess-popen-preexec-fn
        process = subprocess.Popen(
            [BIN / arguments[0], *map(str, arguments[1:])], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=os.environ | place, cwd=self.folder, preexec_fn=die_with_the_test, **options)
        self.addCleanup(self.end_program, process)
        return process

    @staticmethod
    def end_program(process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def start_worker(self, cluster, name, *command):
        worker = self.start_program(cluster, *command)
        wait_until(lambda: name in cluster.members(), f"{name} is a member")
        return worker

    def start_library_worker(self, cluster):
        return self.start_worker(cluster, "own", "library_worker", "own", self.folder / "own")

    def submit(self, cluster, task_type, *arguments):
        """Runs a task to its end; gives its record, whatever became of it."""
        done = cluster.cidbus("submit", task_type, *arguments, "--wait", "--output", "json")
        return done.json()

    def test_the_programs_of_the_readme_count_words(self):
        cluster = self.start_cluster(workers=0)
        worker = self.start_worker(cluster, "words", "example_word_count_worker")
        files = [self.file(f"{count}.txt", b"word " * count) for count in (0, 1, 1000)]
        done = self.start_program(cluster, "example_submit", *files)
        out, err = done.communicate(timeout=PATIENCE_SECONDS)
        self.assertEqual((done.returncode, out, err), (0, "words 0\nwords 1\nwords 1000\n", ""))
        worker.send_signal(signal.SIGTERM)
        self.assertEqual(worker.wait(PATIENCE_SECONDS), 0, "stopped in order")
        wait_until(lambda: "words" not in cluster.members(), "the worker said goodbye")

    def test_a_program_without_a_broker_says_which_it_tried(self):
        cluster = self.new_cluster()
        done = self.start_program(cluster, "example_submit")
        _, err = done.communicate(timeout=PATIENCE_SECONDS)
        self.assertEqual(done.returncode, 69)
        self.assertIn(cluster.broker_address, err)

    def lines_over_broker_deaths(self, cluster, count, *command):
        """What the program prints, `count` lines, while the broker is killed and restarted three times in between."""
        program = self.start_program(cluster, *command)
        lines = []
        reader = threading.Thread(target=lambda: lines.extend(iter(program.stdout.readline, "")), daemon=True)
        reader.start()
        for share in (10, 3, 2):
            wait_until(lambda: len(lines) > count // share, f"one in {share} is told")  # pylint: disable=W0640
            cluster.kill("b1")
            self.assertIsNone(program.poll(), "it goes on without a broker")
            cluster.start("b1")
        self.assertEqual(program.wait(PATIENCE_SECONDS), 0, "".join(lines[-3:]))
        reader.join(PATIENCE_SECONDS)
        return sorted(lines, key=lambda line: int(line.split()[0]))

    def test_broker_killed_and_restarted_each_callback_comes_once(self):
        cluster = self.start_cluster(workers=0)
        self.start_library_worker(cluster)
        told = self.lines_over_broker_deaths(cluster, TASKS, "library_client", "submit", "number", TASKS)
        self.assertEqual(told, [f"{number} {number}\n" for number in range(TASKS)], "each once, with its own answer")
        recorded = cluster.ask("task", "list", "--limit", TASKS * 2)
        self.assertEqual(len(recorded), TASKS, "nothing was submitted twice")

    def test_broker_killed_and_restarted_content_is_added_and_read_all_the_same(self):
        cluster = self.start_cluster(workers=2)
        told = self.lines_over_broker_deaths(cluster, FILES, "library_client", "add", FILES)
        self.assertEqual([line.split(" ", 2)[2] for line in told], [f"file {number}\n" for number in range(FILES)])

    def test_what_a_handler_does_is_what_the_task_becomes(self):
        cluster = self.start_cluster(workers=1)
        self.start_library_worker(cluster)
        self.assertEqual(self.submit(cluster, "number", "--param", "number=7")["result"]["values"], {"number": "7"})
        self.assertEqual(self.submit(cluster, "once", "--param", "number=8")["result"]["values"], {"number": "8"})
        runs = [self.submit(cluster, "counted")["result"]["values"]["runs"] for _ in range(2)]
        self.assertEqual(runs, ["1", "2"], "one handler object for all runs")

        said = self.submit(cluster, "say", "--param", "number=9")
        logged = cluster.ask("task", "logs", said["id"])
        self.assertEqual([(one["outcome"], one["stdout"]) for one in logged], [("failed", "it was 9\n")])

        text = self.file("text", b"hello")
        shouted = self.submit(cluster, "shout", "--input", text)["result"]["cids"]
        self.assertEqual(cluster.cidbus("cat", shouted[0]).out, "hello!")
        too_long = self.submit(cluster, "shout", "--input", self.file("long", b"x" * 1001))
        self.assertEqual((too_long["state"], too_long["attempts"]), ("failed", 1))
        self.assertIn("1001 bytes", too_long["error"])

    def test_a_handler_that_throws_or_hangs_costs_its_own_task_only(self):
        cluster = self.start_cluster(workers=0)
        worker = self.start_library_worker(cluster)
        thrown = self.submit(cluster, "throw", "--param", "number=seven")
        self.assertEqual((thrown["state"], thrown["error"], thrown["attempts"]), ("failed", "throw: seven", 1))

        hanging = cluster.cidbus("submit", "hang", "--output", "quiet").out.strip()
        wait_until(lambda: cluster.ask("task", "show", hanging)["state"] == "processing", "it hangs")
        self.assertEqual(self.submit(cluster, "number", "--param", "number=9")["state"], "completed")
        self.assertEqual(cluster.cidbus("task", "cancel", hanging).code, 0)
        limited = self.submit(cluster, "hang", "--time-limit", "200ms", "--retries", "0")
        self.assertEqual(limited["state"], "failed")
        self.assertIsNone(worker.poll())

    def test_a_handler_that_does_not_stop_is_named_once_and_shown_as_busy(self):
        cluster = self.start_cluster(workers=0)
        worker = self.start_library_worker(cluster)
        told = []
        threading.Thread(target=lambda: told.extend(iter(worker.stderr.readline, "")), daemon=True).start()
        until = self.folder / "until"
        deaf = cluster.cidbus("submit", "deaf", "--param", f"until={until}", "--output", "quiet").out.strip()
        wait_until(lambda: cluster.ask("task", "show", deaf)["state"] == "processing", "it runs")
        self.assertEqual(cluster.cidbus("task", "cancel", deaf).code, 0)
        wait_until(lambda: any("goes on: its type, deaf," in line for line in told), "the worker says so")
        self.assertEqual(cluster.members()["own"]["busy"], 1)
        self.assertEqual(self.submit(cluster, "number", "--param", "number=1")["state"], "completed")
        until.touch()
        wait_until(lambda: cluster.members()["own"]["busy"] == 0, "its slot is free again")
        self.assertEqual(sum(deaf in line for line in told), 1, told)

    def test_a_worker_told_twice_to_stop_ends_although_a_handler_does_not(self):
        cluster = self.start_cluster(workers=0)
        worker = self.start_library_worker(cluster)
        deaf = cluster.cidbus("submit", "deaf", "--param", f"until={self.folder / 'never'}", "--output", "quiet").out.strip()
        wait_until(lambda: cluster.ask("task", "show", deaf)["state"] == "processing", "it runs")
        worker.send_signal(signal.SIGTERM)
        self.assertEqual(cluster.cidbus("submit", "number", "--output", "quiet").code, 0)
        worker.send_signal(signal.SIGTERM)
        said = worker.communicate(timeout=PATIENCE_SECONDS)[1]
        self.assertEqual(worker.returncode, 128 + signal.SIGTERM, said)
        self.assertIn("own: a task did not stop; ended without it", said)
        wait_until(lambda: cluster.ask("task", "show", deaf)["state"] == "pending", "it was handed back")

    def test_a_worker_told_to_stop_ends_what_it_runs_first(self):
        cluster = self.start_cluster(workers=0)
        worker = self.start_library_worker(cluster)
        running = cluster.cidbus("submit", "wait", "--param", "number=1", "--output", "quiet").out.strip()
        wait_until(lambda: cluster.ask("task", "show", running)["state"] == "processing", "it runs")
        worker.send_signal(signal.SIGTERM)
        ended = cluster.ask("task", "wait", running)
        self.assertEqual((ended["state"], ended["attempts"]), ("completed", 1))
        self.assertEqual(worker.wait(PATIENCE_SECONDS), 0)


if __name__ == "__main__":
    unittest.main()

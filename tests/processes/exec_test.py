"""Programs of users: exec.NAME in its sandbox, as a user would configure and call it, and programs that do their worst."""

import os
import shutil
import signal
import subprocess
import unittest
from pathlib import Path

from cluster import ROOT, ClusterTest, wait_until

HOSTILE = Path(__file__).resolve().parent / "hostile"
EXAMPLES = ROOT / "examples/exec"


def processes_named(word):
    found = subprocess.run(["pgrep", "-f", word], stdout=subprocess.PIPE, text=True, check=False).stdout.split()
    return [pid for pid in found if "pgrep" not in (Path("/proc", pid, "cmdline").read_text("utf-8", "replace")
                                                     if Path("/proc", pid, "cmdline").exists() else "pgrep")]


class ExecTest(ClusterTest):
    def setUp(self):
        super().setUp()
        self.folder.chmod(0o755)  # a worker that is root runs programs as nobody, who must be able to see them
        self.programs = self.folder / "programs"
        shutil.copytree(HOSTILE, self.programs)
        self.programs.chmod(0o755)

    def config(self, text):
        path = self.programs / "cidbus.toml"
        path.write_text(text, encoding="utf-8")
        return path

    def hostile(self, name, keys="", limits='memory = "64MB"\nspace = "8MB"\nprocesses = 20\ntime = "3s"'):
        kind = f"exec.{name.replace('_', '-')}"
        return f'[worker.{kind}]\ncommand = ["./{name}.py"]\ninput = "none"\n{limits}\n{keys}\n'

    def start(self, config, **options):
        cluster = self.new_cluster(workers=1, **options)
        cluster.more["w1"] = ["--config", config]
        return cluster.start()

    def run_with_others(self, cluster, kind, *parameters):
        """Runs the program to its end, while other tasks must go on: gives the task."""
        process = cluster.start_cidbus("submit", kind, *parameters, "--retries", "0", "--wait", "--output", "json")
        others = 0
        while process.poll() is None or others == 0:
            done = cluster.cidbus("submit", "echo", "--param", f"n={others}", "--wait", "--timeout", "20s")
            self.assertEqual(done.code, 0, f"another task beside {kind}: {done}")
            others += 1
        out, err = process.communicate()
        self.assertTrue(cluster.runs("w1"), f"the worker did not survive {kind}")
        shown = cluster.cidbus("task", "list", "--type", kind, "--output", "json").json()[0]
        return shown, process.returncode, out, err


class Ordinary(ExecTest):
    def test_the_examples(self):
        programs = self.folder / "examples"
        shutil.copytree(EXAMPLES, programs)
        programs.chmod(0o755)
        cluster = self.start(programs / "cidbus.toml")
        text = self.file("notes.txt", b"the cat and the dog and the end\n")
        task = cluster.ask("submit", "exec.word-count", "--input", text, "--param", "top=2", "--wait")
        counted = cluster.cidbus("cat", task["result"]["cids"][0]).out
        self.assertEqual(counted.split(), ["3", "the", "2", "and"])

        folder = self.folder / "stuff"
        folder.mkdir()
        (folder / "a.txt").write_text("alpha", encoding="utf-8")
        packed = []
        for _ in range(2):
            task = cluster.ask("submit", "exec.pack", "--input", folder, "--wait")
            packed.append(task["result"]["cids"][0])
        self.assertEqual(packed[0], packed[1], "declared deterministic, so it must be")
        archive = self.folder / "packed.tar.gz"
        self.assertEqual(cluster.cidbus("get", packed[0], "-o", archive).code, 0)
        listed = subprocess.run(["tar", "xzOf", archive, "./a.txt"], stdout=subprocess.PIPE, check=True)
        self.assertEqual(listed.stdout, b"alpha")

        done = cluster.cidbus("submit", "exec.word-count", "--input", text, "--param", "top=x", "--wait")
        self.assert_fails(done, 1, "exited with 1", "top must be a whole number, not 'x'")
        done = cluster.cidbus("submit", "exec.word-count", "--input", text, "--param", "top=-5", "--wait")
        self.assert_fails(done, 1, "parameter top cannot begin with '-'")
        done = cluster.cidbus("submit", "exec.word-count", "--input", text, "--param", "most=5", "--wait")
        self.assert_fails(done, 1, "unknown parameter 'most'")

    def test_the_worker_refuses_a_bad_file_with_its_line(self):
        cluster = self.new_cluster(workers=1)
        config = self.config('[worker.exec.x]\ncommand = ["/bin/true"]\nmemroy = "1GB"\n')
        cluster.more["w1"] = ["--config", config]
        process = cluster.spawn("w1")
        self.assertEqual(process.wait(20), 65)
        self.assertIn(f"{config}:3: exec.x: unknown key 'memroy'", cluster.log("w1"))

    def test_what_cannot_be_walled_in_is_not_offered(self):
        cluster = self.start(self.config('[worker.exec.x]\ncommand = ["/bin/true"]\nread-only = ["/not/there"]\n'))
        self.assertIn("exec.x is not offered", cluster.log("w1"))
        self.assertIn("/not/there", cluster.log("w1"))
        self.assert_fails(cluster.cidbus("submit", "exec.x", "--wait"), 2, "exec.x")
        self.assertEqual(cluster.cidbus("submit", "echo", "--wait").code, 0)

    def test_exit_75_is_tried_again_and_others_are_not(self):
        cluster = self.start(self.config(
            '[worker.exec.code]\ncommand = ["/bin/sh", "-c", "echo reason >&2; exit $PARAM_code"]\n'
            'input = "none"\nparameters = ["code"]\n'
            '[worker.exec.crash]\ncommand = ["/bin/sh", "-c", "kill -SEGV $$"]\ninput = "none"\n'))
        for code, attempts in ((75, 2), (7, 1)):
            cluster.cidbus("submit", "exec.code", "--param", f"code={code}", "--retries", "1", "--wait")
            task = cluster.ask("task", "list", "--type", "exec.code", "--limit", "1")[0]
            self.assertEqual((task["state"], task["attempts"]), ("failed", attempts), task)
            self.assertEqual(task["error"], f"exec.code exited with {code}: reason")
        done = cluster.cidbus("submit", "exec.crash", "--wait")
        self.assert_fails(done, 1, "killed by signal 11 (Segmentation fault)")

    def test_a_trace_goes_with_the_task_to_its_program_and_back(self):
        cluster = self.new_cluster(workers=1)
        cluster.more["w1"] = ["--log-level", "debug", "--config", self.config(
            '[worker.exec.trace]\ncommand = ["/bin/sh", "-c", "echo $TRACEPARENT; exit 75"]\ninput = "none"\noutput = "folder"\n')]
        cluster.start()
        trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
        given = f"00-{trace}-{parent}-01"
        submitted = ["submit", "exec.trace", "--retries", "1", "--key", "once"]
        done = cluster.cidbus(*submitted, "--wait", "--output", "json", env={**os.environ, "TRACEPARENT": given})
        self.assertEqual((done.json()["traceparent"], done.json()["state"]), (given, "failed"), done)
        task = done.json()["id"]
        self.assertEqual(cluster.ask("task", "show", task)["traceparent"], given)
        self.assertIn(given, cluster.cidbus("task", "show", task).out)
        told = [entry["stdout"].strip() for entry in cluster.ask("task", "logs", task)]
        for line in told:
            self.assertRegex(line, f"^00-{trace}-[0-9a-f]{{16}}-01$")
        self.assertEqual(len({*told, given}), 3, "each attempt is a span of its own")
        wait_until(lambda: cluster.log("w1").count(f"task={task} attempt=2 trace_id={trace} ") == 1, "the worker's log tells the trace")

        again = cluster.ask(*submitted, "--traceparent", f"00-{parent * 2}-{parent}-00")
        self.assertEqual((again["id"], again["duplicate"]), (task, True), "another trace is no other request")
        self.assert_fails(cluster.cidbus("submit", "echo", "--traceparent", "00-1-2-3"), 2, "no traceparent")
        ignored = cluster.ask("submit", "echo", "--wait", env={**os.environ, "TRACEPARENT": "rubbish"})
        self.assertIsNone(ignored["traceparent"])

    def test_logs_of_each_attempt_are_kept(self):
        cluster = self.start(self.config(
            '[worker.exec.talk]\ncommand = ["/bin/sh", "-c", "echo out of $PARAM_code; seq 5000 >&2; exit $PARAM_code"]\n'
            'input = "none"\noutput = "folder"\nparameters = ["code"]\n'
            '[worker.exec.sleep]\ncommand = ["/bin/sh", "-c", "echo begun; sleep 60"]\ninput = "none"\noutput = "folder"\n'))
        task = cluster.cidbus("submit", "exec.talk", "--param", "code=75", "--retries", "2", "--output", "quiet").out.strip()
        cluster.cidbus("task", "wait", task)
        logs = cluster.ask("task", "logs", task)
        self.assertEqual([entry["attempt"] for entry in logs], [1, 2, 3], logs)
        self.assertEqual([entry["outcome"] for entry in logs], ["retry", "retry", "retry"])
        for entry in logs:
            self.assertEqual((entry["worker"], entry["exit"], entry["stdout"]), ("w1", "exited with 75", "out of 75\n"))
            self.assertTrue(entry["stderr"].endswith("4999\n5000\n"), entry)
            self.assertLess(len(entry["stderr"]), 4200)
            self.assertLess(entry["started_at"], entry["finished_at"])

        done = cluster.ask("submit", "exec.talk", "--param", "code=0", "--wait")
        self.assertEqual(cluster.ask("task", "logs", done["id"])[0]["outcome"], "completed")
        shown = cluster.cidbus("task", "logs", done["id"]).out
        self.assertIn("attempt 1  completed  on w1", shown)
        self.assertIn("    out of 0\n", shown)

        sleeper = cluster.cidbus("submit", "exec.sleep", "--time-limit", "500ms", "--retries", "0",
                                 "--output", "quiet").out.strip()
        cluster.cidbus("task", "wait", sleeper)
        last = cluster.ask("task", "logs", sleeper)[0]
        self.assertEqual((last["outcome"], last["exit"], last["stdout"]), ("timed out", "was stopped", "begun\n"), last)

        cluster.kill("b1")  # what was kept is in the journal
        cluster.start("b1")
        self.assertEqual(cluster.ask("task", "logs", task), logs)
        self.assert_fails(cluster.cidbus("task", "logs", "t99999"), 1, "not known")
        quiet = cluster.ask("submit", "echo", "--wait")
        self.assertEqual(cluster.ask("task", "logs", quiet["id"]), [])


class Hostile(ExecTest):
    """Each costs its own task, and nobody else anything."""

    def contained(self, name, expected_state, *words, parameters=(), keys=""):
        cluster = self.start(self.config(self.hostile(name, keys)))
        kind = f"exec.{name.replace('_', '-')}"
        task, _, _, _ = self.run_with_others(cluster, kind, *parameters)
        self.assertEqual(task["state"], expected_state, task)
        for word in words:
            self.assertIn(word, task["error"] or "", task)
        wait_until(lambda: not processes_named(f"{name}.py"), f"nothing of {name} is left")
        return cluster, task

    def test_fork_bomb(self):
        self.contained("fork_bomb", "failed", "ran longer than its limit of 3000 ms")

    def test_disk_filler(self):
        self.contained("disk_filler", "failed", "exited with 1")

    def test_memory_hog(self):
        self.contained("memory_hog", "failed", "took more memory than its limit of 67108864 bytes")

    def test_signal_ignorer(self):
        self.contained("signal_ignorer", "failed", "ran longer than its limit")

    def test_output_flood(self):
        self.contained("output_flood", "failed", "wrote more than the 8388608 bytes of its space")

    def test_zombie_maker(self):
        cluster, task = self.contained("zombie_maker", "completed")
        made = cluster.cidbus("cat", task["result"]["cids"][0]).out
        self.assertLess(int(made.split()[1]), 20, made)

    def test_daemoniser(self):
        self.contained("daemoniser", "completed")

    def test_network_caller(self):
        cluster = self.new_cluster(workers=1)
        cluster.more["w1"] = ["--config", self.config(self.hostile("network_caller", 'parameters = ["port"]'))]
        cluster.start()
        task, code, _, err = self.run_with_others(cluster, "exec.network-caller", "--param", f"port={cluster.ports.base}")
        self.assertEqual(code, 0, err)
        said = cluster.cidbus("cat", task["result"]["cids"][0]).out
        self.assertNotIn("answered", said)
        self.assertIn("no names", said)

    def test_reads_outside(self):
        secret = self.folder / "secret"
        secret.mkdir()
        (secret / "key").write_text("secret", encoding="utf-8")
        keys = 'output = "stdout"\nparameters = ["folder"]'
        cluster, task = self.contained("reads_outside", "completed", parameters=("--param", f"folder={secret}"), keys=keys)
        self.assertEqual(cluster.cidbus("cat", task["result"]["cids"][0]).out, "")

    def test_link_planter(self):
        keys = 'output = "file"\nparameters = ["target"]'
        self.contained("link_planter", "failed", "left no file /task/output",
                       parameters=("--param", "target=/etc/hostname"), keys=keys)

    def test_cancel_and_drain_kill_it(self):
        limits = 'memory = "64MB"\ntime = "10m"'
        cluster = self.start(self.config(self.hostile("signal_ignorer", limits=limits)))
        task = cluster.cidbus("submit", "exec.signal-ignorer", "--output", "quiet").out.strip()
        wait_until(lambda: processes_named("signal_ignorer.py"), "it runs")
        self.assertEqual(cluster.cidbus("task", "cancel", task).code, 0)
        wait_until(lambda: not processes_named("signal_ignorer.py"), "cancelling killed it")

        cluster.cidbus("submit", "exec.signal-ignorer", "--output", "quiet")
        wait_until(lambda: processes_named("signal_ignorer.py"), "the second runs")
        cluster.more["w1"] += ["--drain", "0.2"]
        cluster.kill("w1")
        wait_until(lambda: not processes_named("signal_ignorer.py"), "kill -9 of the worker killed it too")
        cluster.start("w1")
        wait_until(lambda: processes_named("signal_ignorer.py"), "it is run again")
        self.assertEqual(cluster.kill("w1", signal.SIGTERM), 0)
        self.assertFalse(processes_named("signal_ignorer.py"), "a drained worker leaves nothing behind")


if __name__ == "__main__":
    unittest.main()

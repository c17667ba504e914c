"""scripts/local-cluster, as a user types it: up, status, kill-leader, restart, logs, down, and what it refuses."""

import os
import pty
import shlex
import shutil
import signal
import subprocess
import unittest
import urllib.request

from cluster import BIN, ROOT, ClusterTest, Done, Ports, die_with_the_test, wait_until


class LocalCluster(ClusterTest):
    def setUp(self):
        super().setUp()
        ports = Ports(bases=range(10000, 12700, 45),  # so that no two meet
                      offsets=[*range(6), 70, 80, 88, 1000, 1001, 1200, 1300, 1400, 1401])
        self.addCleanup(ports.close)
        self.base = ports.base
        self.dir = self.folder / "local"
        self.environment = {}
        self.addCleanup(self.script, "down")

    def script(self, *arguments, programs=BIN):
        done = subprocess.run([ROOT / "scripts/local-cluster", *arguments, "--dir", self.dir],
                              env=os.environ | {"CIDBUS_BIN": str(programs)} | self.environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=120, check=False)
        return Done(["local-cluster", *arguments], done.returncode, done.stdout, done.stderr)

    def up(self, *arguments, **options):
        return self.script("up", "--no-tmux", "--base-port", str(self.base), *arguments, **options)

    def states(self):
        """name -> what status says of it."""
        words = [line.split(maxsplit=3) for line in self.script("status").out.splitlines() if not line.startswith("key ")]
        return {name: state for _, name, _, state in words}

    def pid(self, name):
        return int((self.dir / f"{name}.pid").read_text())

    def test_a_cluster_comes_up_loses_its_leader_gets_it_back_and_goes_down(self):
        done = self.up("--workers", "1", "--leechers", "1")
        self.assertEqual(done.code, 0, str(done))
        for address in (f"{self.base}", f"{self.base + 1000}", f"{self.base + 80}", f"{self.base + 1200}",
                        f"{self.base + 70}"):
            self.assertIn(f"127.0.0.1:{address}", done.out)
        with urllib.request.urlopen(f"http://127.0.0.1:{self.base + 80}/readyz", timeout=10) as answer:
            self.assertEqual(answer.status, 200)
        self.assertEqual(set(self.states()), {"b1", "w1", "l1", "g1", "o1"})
        self.assertIn("leads", self.states()["b1"])

        self.assert_fails(self.up(), 1, "already up")

        worker, broker = self.pid("w1"), self.pid("b1")
        self.assertEqual(self.script("kill-leader").out, "b1\n")
        self.assertIn("down", self.states()["b1"])
        self.assertEqual(self.script("status").code, 1)
        done = self.script("restart", "b1")
        self.assertEqual(done.code, 0, str(done))
        self.assertNotEqual(self.pid("b1"), broker)
        self.assertEqual(self.script("restart", "w1").code, 0)
        self.assertNotEqual(self.pid("w1"), worker)
        self.assertEqual(self.script("status").code, 0)
        self.assertNotEqual(self.script("logs", "b1").out, "")

        done = self.script("down")
        self.assertEqual(done.code, 0, str(done))
        self.assertIn("Stopped: b1 w1 l1 g1 o1", done.out)
        self.assertEqual(set(self.states().values()), {"down"})
        self.assert_asks_nobody_when_no_broker_runs()
        self.assertTrue((self.dir / "b1").is_dir(), "data stays")
        self.assertEqual(self.script("down").code, 0, "nothing to stop is no fault")

    def test_down_says_what_it_waits_for_and_ends_it_at_once_when_interrupted(self):
        self.folder.chmod(0o755)  # a worker that is root runs programs as nobody, who must be able to see it
        self.environment["CIDBUS_CONFIG"] = str(self.file("cidbus.toml", b"""
[worker.exec.endless]
command = ["/bin/sh", "-c", "while :; do sleep 0.2; done"]
input = "none"
"""))
        self.assertEqual(self.up("--workers", "1", "--gateways", "0", "--observers", "0").code, 0)

        def cidbus(*words):
            return subprocess.run([BIN / "cidbus", *words, "--brokers", f"127.0.0.1:{self.base}"], capture_output=True,
                                  text=True, timeout=60, check=False)
        task = cidbus("submit", "exec.endless", "--output", "quiet").stdout.strip()
        wait_until(lambda: '"processing"' in cidbus("task", "show", task, "--output", "json").stdout, "the task is under way")
        with subprocess.Popen([ROOT / "scripts/local-cluster", "down", "--dir", self.dir], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
                              preexec_fn=die_with_the_test, env=os.environ | {"CIDBUS_BIN": str(BIN)}) as going_down:
            said = going_down.stderr.readline()
            self.assertIn("waiting up to 20 s for w1 ", said)
            self.assertIn("Ctrl+C", said)
            os.killpg(going_down.pid, signal.SIGINT)
            out, more = going_down.communicate(timeout=60)
        self.assertEqual((going_down.returncode, more), (0, ""), out)
        self.assertIn("Stopped: b1 w1", out)
        self.assertIn("waits up to 30 s for the task that runs", (self.dir / "w1.log").read_text())

    def assert_asks_nobody_when_no_broker_runs(self):
        programs = self.folder / "spy"
        programs.mkdir()
        (programs / "cidbus").write_text(f"#!/bin/sh\ntouch {programs}/asked\n")
        (programs / "cidbus").chmod(0o755)
        self.assertEqual(self.script("status", programs=programs).code, 1)
        self.assert_fails(self.script("kill-leader", programs=programs), 1, "no broker answers")
        self.assertFalse((programs / "asked").exists(), "it would look for a broker for seconds")

    @unittest.skipIf(shutil.which("tmux") is None, "tmux is not installed")
    def test_tmux_shows_a_pane_a_node_and_closing_it_stops_nothing(self):
        session = f"=cidbus-{self.base}"
        self.environment["TMUX_TMPDIR"] = str(self.folder)

        def tmux(*arguments):
            return subprocess.run(["tmux", *arguments], env=os.environ | self.environment, capture_output=True, text=True,
                                  timeout=60, check=False)
        self.addCleanup(tmux, "kill-server")
        done = self.script("up", "--base-port", str(self.base))
        self.assertEqual(done.code, 0, str(done))
        panes = tmux("list-panes", "-s", "-t", session, "-F", "#{window_name} #{pane_title} #{pane_dead}").stdout.splitlines()
        self.assertEqual([pane.split()[:2] + pane.split()[-1:] for pane in panes],
                         [["brokers", "b1", "0"], ["workers", "w1", "0"], ["workers", "w2", "0"], ["gateways", "g1", "0"],
                          ["observers", "o1", "0"]])
        def worker_pane():
            return tmux("capture-pane", "-p", "-t", f"{session}:workers.0").stdout
        wait_until(lambda: "joined cluster" in worker_pane(), "the pane of w1 shows its log")

        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        with subprocess.Popen([ROOT / "scripts/local-cluster", "attach", "--dir", self.dir], stdin=theirs, stdout=theirs,
                              stderr=theirs, start_new_session=True, preexec_fn=die_with_the_test,
                              env={key: value for key, value in (os.environ | self.environment | {"TERM": "xterm"}).items()
                                   if key != "TMUX"}) as attached:
            os.close(theirs)
            wait_until(lambda: tmux("list-clients", "-t", session).stdout or attached.poll(), "a terminal is attached")
            self.assertIsNone(attached.poll())
            tmux("detach-client", "-s", session)
            self.assertEqual(attached.wait(60), 0)
        tmux("kill-server")
        self.assertEqual(self.script("status").code, 0, "every node runs on")

    def test_with_keys_every_node_has_one_and_the_printed_command_carries_one(self):
        done = self.up("--keys", "--brokers", "1", "--workers", "1", "--leechers", "1")
        self.assertEqual(done.code, 0, str(done))
        (printed,) = [line.partition(":")[2] for line in done.out.splitlines() if line.startswith("Talk to it:")]
        self.assertIn(str(self.dir / "keys/me.key"), printed)
        alone = {name: value for name, value in os.environ.items() if not name.startswith("CIDBUS_")}
        alone["CIDBUS_CONFIG"] = "/dev/null"
        talk = subprocess.run(["sh", "-c", printed], env=alone, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(talk.returncode, 0, talk.stderr)
        self.assertIn("b1", talk.stdout)
        without = " ".join(word for word in printed.split() if not word.startswith("CIDBUS_KEY_FILE"))
        refused = subprocess.run(["sh", "-c", without], env=alone, capture_output=True, text=True, timeout=60, check=False)
        self.assert_fails(Done([without], refused.returncode, refused.stdout, refused.stderr), 77, "without a key", "--key-file")
        self.assertEqual({file.stat().st_mode & 0o777 for file in (self.dir / "keys").glob("*.key")}, {0o600})

        self.assertEqual(self.script("restart", "w1").code, 0)
        self.assertEqual(self.script("kill-leader").out, "b1\n")
        self.assertEqual(self.script("restart", "b1").code, 0)
        self.assertIn("leads", self.states()["b1"])
        self.script("down")
        key = (self.dir / "keys/b1.key").read_text()
        self.assertEqual(self.up("--keys", "--workers", "2", "--leechers", "0").code, 0)
        self.assertEqual(set(self.states()), {"b1", "w1", "w2", "g1", "o1"})
        self.assertEqual((self.dir / "keys/b1.key").read_text(), key, "keys stay")

    def test_what_it_cannot_do_is_one_line(self):
        self.assert_fails(self.script("status"), 1, "no cluster")
        self.assert_fails(self.up("--brokers", "6"), 1, "1 to 5")
        self.assert_fails(self.up("--leechers", "9"), 1, "at most 8")
        self.assert_fails(self.script("dance"), 2, "dance")
        self.assert_fails(self.up("--workers", "many"), 2, "many")

    def test_a_folder_with_a_blank_is_quoted_in_what_it_says_to_type(self):
        self.dir = self.folder / "my cluster"
        told = self.script("status").err
        self.assertEqual(shlex.split(told[told.index("scripts/"):])[1:], ["up", "--dir", str(self.dir)])

    def test_a_node_that_dies_is_named_with_the_end_of_its_log_and_nothing_is_left_running(self):
        programs = self.folder / "programs"
        programs.mkdir()
        for program in ("cidbus", "cidbus-broker", "cidbus-gateway", "cidbus-observer"):
            (programs / program).symlink_to(BIN / program)
        (programs / "cidbus-worker").write_text("#!/bin/sh\necho no room for me\nexit 1\n")
        (programs / "cidbus-worker").chmod(0o755)
        done = self.up(programs=programs)
        self.assertEqual(done.code, 1, str(done))
        self.assertIn("w1 died", done.err)
        self.assertIn("no room for me", done.err)
        self.assertEqual(list(self.dir.glob("*.pid")), [])

    def test_a_start_that_fails_half_way_leaves_nothing_running(self):
        self.dir.mkdir()
        (self.dir / "w1").write_text("a file where the worker's folder must be")
        done = self.up()
        self.assertNotEqual(done.code, 0)
        self.assertEqual(list(self.dir.glob("*.pid")), [])


if __name__ == "__main__":
    unittest.main()

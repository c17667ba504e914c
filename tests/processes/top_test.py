"""The terminal view, as tmux shows it: at three sizes, with keys, and on a terminal that takes nothing."""

import os
import pty
import re
import subprocess
import unittest

from cluster import BIN, ClusterTest, die_with_the_test, wait_until

LONG = 180  # seconds, on a machine that has no time


class Tmux:
    """A tmux server of its own with one window, in which a command runs."""

    def __init__(self, folder, width, height, command):
        self.socket = folder / f"tmux-{width}"
        self.run("-f", "/dev/null", "new-session", "-d", "-x", str(width), "-y", str(height), command, ";",
                 "set-option", "-g", "window-size", "manual")

    def run(self, *words):
        environment = {**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8"}
        return subprocess.run(["tmux", "-S", self.socket, *words], env=environment, capture_output=True, text=True, check=True).stdout

    def screen(self, *flags):
        return self.run("capture-pane", "-p", *flags).split("\n")[:-1]

    def type(self, *keys):
        self.run("send-keys", *keys)

    def close(self):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], capture_output=True, check=False)


class Top(ClusterTest):
    def setUp(self):
        super().setUp()
        self.cluster = self.start_cluster(brokers=3, workers=2)
        self.cluster.ask("submit", "echo", "--wait")

    def top(self, width, height, environment=""):
        words = [str(BIN / "cidbus"), "top", "--brokers", self.cluster.broker_address, "--cluster", self.cluster.name]
        # cat: of a pane whose last process is gone tmux may drop what was written last.
        tmux = Tmux(self.folder, width, height, f"trap : INT; {environment} {' '.join(words)}; echo left with $?; exec cat")
        self.addCleanup(tmux.close)
        return tmux

    def wait_for(self, tmux, pattern):
        """The screen, once a line of it matches."""
        def shown():
            screen = tmux.screen()
            return any(re.search(pattern, line) for line in screen) and screen
        try:
            return wait_until(shown, f"the screen shows {pattern}", LONG)
        except AssertionError as late:
            raise AssertionError(f"{late}; it shows:\n" + "\n".join(tmux.screen())) from late

    def test_three_sizes_and_a_resize(self):
        for width, height in ((80, 24), (120, 40), (200, 60)):
            tmux = self.top(width, height)
            self.wait_for(tmux, r"^w2 +worker +alive +\w+ +0/2")
            self.wait_for(tmux, r"^b[123] +leader +\w+ +\d+ ")
            self.wait_for(tmux, r"^cidbus test  leader b\d, epoch \d+  (healthy|warning)  (\d alerts?  )?\d\d:\d\d:\d\d$")
            screen = self.wait_for(tmux, r"^tasks 0 pending, 0 running, 1 completed, 0 failed")
            self.assertEqual(len(screen), height)
            self.assertRegex(screen[-1], r"^ 1 overview .* 5 alerts")
            tmux.run("resize-window", "-x", str(width - 20), "-y", str(height - 4))
            wait_until(lambda: (screen := tmux.screen()) and len(screen) == height - 4 and screen[-1].startswith(" 1 overview"),
                       "it fits the new size", LONG)
            tmux.close()

    def test_keys(self):
        tmux = self.top(100, 30)
        self.wait_for(tmux, r"^w2 +worker +alive")
        task = self.cluster.ask("submit", "echo", "--wait")["id"]
        tmux.type("3")
        self.wait_for(tmux, rf" {task} +echo +completed +w\d")
        tmux.type("4")
        self.wait_for(tmux, r"^TIME +BROKER +SAYS")
        tmux.type("2")
        self.wait_for(tmux, r"^w1 ")
        tmux.type("/", "w", "2", "Enter")
        self.assertFalse([line for line in self.wait_for(tmux, r"filter: w2") if line.startswith("w1 ")])
        tmux.type("Escape")
        self.wait_for(tmux, r"^w1 ")
        tmux.type("p")
        self.wait_for(tmux, r"PAUSED")
        self.cluster.kill("w1")
        tmux.type("?")
        self.wait_for(tmux, r"^Keys")
        tmux.type("x")
        self.wait_for(tmux, r"^w1 +worker +alive")  # as it was
        tmux.type("p")
        self.wait_for(tmux, r"^w1 +worker +dead")
        self.assertRegex("\n".join(tmux.screen("-e")), "\x1b\\[[0-9;]*3[1-6]m", "in colours")
        tmux.type("q")
        screen = self.wait_for(tmux, r"^left with 0")
        self.assertFalse([line for line in screen if line.startswith("cidbus test")], "the terminal is as it was")

    def test_without_colours(self):
        tmux = self.top(80, 24, "NO_COLOR=1")
        self.wait_for(tmux, r"^w2 +worker +alive")
        self.assertNotRegex("\n".join(tmux.screen("-e")), "\x1b\\[[0-9;]*3[1-7]m")
        tmux.type("C-c")
        self.wait_for(tmux, r"^left with 0")

    def test_a_terminal_that_is_closed_is_a_goodbye_and_no_death(self):
        tmux = self.top(80, 24)
        self.wait_for(tmux, r"^w2 +worker +alive")
        name = next(name for name in self.cluster.members() if name.startswith("top."))
        tmux.close()

        def ended():
            states = {member["name"]: member["state"] for member in self.cluster.ask("cluster", "members")}
            return states[name] in ("left", "dead") and states[name]
        self.assertEqual(wait_until(ended, "it is missed", LONG), "left")

    def test_a_terminal_that_takes_nothing_holds_up_nobody(self):
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        # pylint: disable=consider-using-with,subprocess-popen-preexec-fn
        process = subprocess.Popen(
            [BIN / "cidbus-observer", "--name", "slow", "--cluster", self.cluster.name, "--brokers", self.cluster.broker_address],
            stdin=slave, stdout=slave, stderr=subprocess.DEVNULL, env={**os.environ, "TERM": "xterm"}, preexec_fn=die_with_the_test)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        os.close(slave)
        wait_until(lambda: "slow" in self.cluster.members(), "it is there", LONG)
        for _ in range(3):
            os.write(master, b"?x" * 500)
            seen = self.cluster.members()["slow"]["last_seen"]
            wait_until(lambda: (now := self.cluster.members().get("slow")) and now["last_seen"] > seen,
                       "it is still heard, though nobody reads what it shows", LONG)
        process.terminate()
        self.assertEqual(process.wait(LONG), 0)

    def test_where_there_is_no_terminal_it_is_lines(self):
        process = self.cluster.start_cidbus("top")
        self.addCleanup(process.communicate)
        self.addCleanup(process.terminate)
        self.assertRegex(process.stdout.readline(), r"Z  cluster test, leader b\d: 1 completed$")


if __name__ == "__main__":
    unittest.main()

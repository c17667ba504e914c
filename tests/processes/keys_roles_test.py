"""Keys in every role: a group of brokers, a leecher and programs on the libraries work with them, and a stranger is
refused at each of their sockets, and counted."""

import json
import os
import re
import shutil
import subprocess
import unittest
import urllib.request

from cluster import BIN, PATIENCE_SECONDS, ClusterTest, die_with_the_test, wait_until

REFUSED = re.compile(r"refused (\d+) connections until now whose key is not in the allow-list")
MESH = ((3, "control"), (4, "bulk"))  # of a broker at port P


class Keyed(ClusterTest):
    def refusals(self, name):
        """How many connections the node says to have refused."""
        told = REFUSED.findall(self.cluster.log(name))
        return int(told[-1]) if told else 0

    def assert_refused_and_counted(self, name, sockets):
        """Nobody with a key of no list, with another's key, or with none, gets in at (port, says)."""
        if not (self.cluster.keys / "stranger.key").exists():
            self.cluster.make_key("stranger", "master,worker,leecher")  # on no list but its own
        for port, says in sockets:
            with self.subTest(name=name, port=port, says=says):
                before = self.refusals(name)
                told = self.cluster.knock(port, "stranger", "worker", says, "stranger", name)
                self.assertEqual(set(told) - {"broken off"}, {"not admitted"}, told)
                told = self.cluster.knock(port, "stranger", "worker", says)
                self.assertLessEqual(set(told), {"broken off", "other trust"}, "without a key")
                wait_until(lambda: self.refusals(name) > before, "it is counted")  # pylint: disable=W0640

    def hash_through(self, content, *flags):
        """Adds the content, runs a task on it, reads it back."""
        path = self.file("content", content)
        added = self.cluster.cidbus("add", path, "--output", "quiet", *flags)
        self.assertEqual(added.code, 0, str(added))
        cid = added.out.strip()
        task = self.cluster.ask("submit", "hash", "--input", cid, "--wait", *flags)
        self.assertEqual(task["state"], "completed", str(task))
        copy = self.folder / f"copy-{cid}"
        got = self.cluster.cidbus("get", cid, "-o", copy, *flags)
        self.assertEqual(got.code, 0, str(got))
        self.assertEqual(copy.read_bytes(), content)
        return cid


class Group(Keyed):
    def setUp(self):
        super().setUp()
        self.cluster = self.new_cluster(workers=2, brokers=3, keys=True)

    def test_three_brokers_work_fail_over_and_refuse_strangers_on_every_socket(self):
        self.cluster.start()
        self.hash_through(os.urandom(300_000))
        for number, name in enumerate(("b1", "b2", "b3")):
            base = 6 * number
            sockets = [(base, "hello"), (base + 1, "listen"), (base + 2, "heartbeat")]
            sockets += [(base + port, "hello") for port, _ in MESH]
            self.assert_refused_and_counted(name, sockets)
        for port, what in MESH:
            told = self.cluster.knock(port, "w1", "worker", "hello", "w1")
            self.assertEqual(set(told) - {"broken off"}, {"not admitted"}, f"a worker's key at {what}")

        leader = wait_until(self.cluster.leader, "somebody leads")
        self.cluster.kill(leader)
        wait_until(lambda: self.cluster.leader() not in (None, leader), "another leads")
        self.hash_through(os.urandom(300_000))
        self.cluster.start(leader)
        self.hash_through(os.urandom(300_000))

    def test_a_broker_with_a_key_of_its_own_making_is_no_peer(self):
        self.cluster.start()
        self.cluster.kill("b3")
        strangers = self.folder / "strangers"
        shutil.copytree(self.cluster.keys, strangers)
        subprocess.run([BIN / "cidbus", "keygen", "b3", "--role", "master", "--dir", strangers, "--force"], check=True,
                       stdout=subprocess.DEVNULL)
        (strangers / "allow").write_text("".join(file.read_text() for file in strangers.glob("*.pub")))
        before = {name: self.refusals(name) for name in ("b1", "b2")}
        flags = self.cluster.key_flags
        self.cluster.key_flags = lambda name: ["--key-file", strangers / "b3.key"] if name == "b3" else flags(name)
        self.cluster.spawn("b3")
        for name in ("b1", "b2"):
            wait_until(lambda: self.refusals(name) > before[name], f"{name} counts its refusals")  # pylint: disable=W0640
        self.hash_through(os.urandom(300_000))
        self.assertEqual(self.durable("b3"), 0, "nobody of the cluster can even ask it")
        self.cluster.kill("b3")
        self.cluster.key_flags = flags
        self.cluster.spawn("b3")
        wait_until(lambda: self.durable("b3") >= self.durable("b1"), "the real one is back and has all")

    def durable(self, name):
        """Up to where the broker has the journal on disk; 0 when it does not answer."""
        brokers = self.cluster.ask("cluster", "status")["brokers"]
        return next(one["durable"] for one in brokers if one["name"] == name) or 0


class Leecher(Keyed):
    def test_a_leecher_works_and_refuses_strangers_at_its_own_sockets(self):
        self.cluster = self.new_cluster(workers=2, leechers=1, observers=1, keys=True)
        self.cluster.start()
        through = ("--brokers", self.cluster.leecher_address())
        cid = self.hash_through(os.urandom(300_000), *through)
        wait_until(lambda: '"l1"' in self.cluster.log("o1"), "its heartbeats are on the feed")
        pinned = subprocess.run([BIN / "cidbus-leecher", "pin", "add", cid, "--data", self.cluster.data_folder("l1")],
                                check=False)
        self.assertEqual(pinned.returncode, 0)
        self.assert_refused_and_counted("l1", [(10, "hello"), (11, "want")])
        told = self.cluster.knock(10, "w1", "client", "hello", "person", "l1")
        self.assertIn("heard refused: the key of this connection", told[1])

        for name in ("b1", "w1", "w2"):
            self.cluster.kill(name)
        url = f"http://{self.cluster.leecher_address('http')}"

        def status():
            with urllib.request.urlopen(f"{url}/status", timeout=10) as answer:
                return json.load(answer)
        wait_until(lambda: not status()["online"], "it has noticed that it is cut off")
        waiting = self.cluster.cidbus("submit", "hash", "--input", cid, *through)
        self.assertEqual(waiting.code, 0, str(waiting))
        added = self.cluster.cidbus("add", self.file("offline", b"written while cut off"), "--output", "quiet", *through)
        self.assertEqual(added.code, 0, str(added))
        for name in ("b1", "w1", "w2"):
            self.cluster.spawn(name)
        wait_until(lambda: status()["outbox"]["handed_in"] == 2 and status()["outbox"]["waiting"] == 0, "it is handed in")
        wait_until(lambda: self.cluster.cidbus("cat", added.out.strip()).out == "written while cut off",
                   "the workers have what was added")


class Programs(Keyed):
    """Programs on the libraries take key files by their options, or by the environment."""

    def run_program(self, *words, key=None, ended=True):
        place = {"CIDBUS_BROKERS": self.cluster.broker_address, "CIDBUS_CLUSTER": self.cluster.name}
        if key:
            place["CIDBUS_KEY_FILE"] = str(self.cluster.keys / f"{key}.key")
        # pylint: disable=consider-using-with,subprocess-popen-preexec-fn
        program = subprocess.Popen([BIN / words[0], *map(str, words[1:])], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, env=os.environ | place, cwd=self.folder, preexec_fn=die_with_the_test)
        self.addCleanup(lambda: (program.kill(), program.communicate()))
        if not ended:
            return program
        out, err = program.communicate(timeout=PATIENCE_SECONDS)
        return program.returncode, out, err

    def test_the_libraries_take_a_key_by_option_or_environment_and_say_what_is_wrong_with_it(self):
        self.cluster = self.new_cluster(workers=1, keys=True)
        self.cluster.make_key("own", "worker")
        self.cluster.make_key("words", "worker")
        self.cluster.allow()
        self.cluster.start()
        keys = self.cluster.keys
        self.run_program("library_worker", "own", self.folder / "own", keys / "own.key", ended=False)
        self.run_program("example_word_count_worker", key="words", ended=False)
        wait_until(lambda: {"own", "words"} <= self.cluster.members().keys(), "both workers are members")
        code, out, err = self.run_program("library_client", "submit", "number", 3, keys / "person.key")
        self.assertEqual((code, sorted(out.splitlines()), err), (0, ["0 0", "1 1", "2 2"], ""))
        code, out, err = self.run_program("library_client", "add", 2, keys / "person.key")
        self.assertEqual((code, [line.split(" ", 2)[2] for line in out.splitlines()], err), (0, ["file 0", "file 1"], ""))
        code, out, err = self.run_program("example_submit", self.file("text", b"three short words"), key="person")
        self.assertEqual((code, out, err), (0, "words 3\n", ""))

        code, _, err = self.run_program("library_client", "submit", "number", 1)
        self.assertEqual(code, 69, err)
        self.assertIn("takes nobody without a key", err)
        code, _, err = self.run_program("library_client", "submit", "number", 1, keys / "none.key")
        self.assertIn("none.key", err)
        code, _, err = self.run_program("library_worker", "other", self.folder / "other", keys / "person.key")
        self.assertEqual(code, 77, err)
        self.assertIn("gives the key in use to 'person'", err)
        self.assertIn("not to 'other'", err)


if __name__ == "__main__":
    unittest.main()

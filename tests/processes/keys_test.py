"""Keys: a cluster works with them end to end, and nobody else gets in at any socket, or says what its key is not for."""

import os
import re
import stat
import subprocess
import unittest

from cluster import BIN, PATIENCE_SECONDS, ClusterTest, wait_until


class Keys(ClusterTest):
    def setUp(self):
        super().setUp()
        self.cluster = self.new_cluster(workers=2, gateways=1, observers=1, keys=True)

    def secrets(self):
        return [file.read_text().splitlines()[-1] for file in self.cluster.keys.glob("*.key")]

    def assert_no_key_is_told(self):
        told = "".join(self.cluster.log(name) for name in self.cluster.names)
        public = [file.read_text().split()[-1] for file in self.cluster.keys.glob("*.pub")]
        for key in self.secrets() + public:
            self.assertNotIn(key, told, "no log holds a key")

    def assert_it_works(self, number):
        file = self.file(f"file{number}", os.urandom(300_000) + str(number).encode())
        cid = self.cluster.add(file)
        copy = self.folder / f"copy{number}"
        done = self.cluster.cidbus("get", cid, "-o", copy)
        self.assertEqual(done.code, 0, str(done))
        self.assertEqual(copy.read_bytes(), file.read_bytes())
        task = self.cluster.ask("submit", "hash", "--input", cid, "--wait")
        self.assertEqual(task["state"], "completed", str(task))
        got = subprocess.run(["curl", "-fsS", "-m", "30", f"{self.cluster.gateway_url}/ipfs/{cid}"],
                             capture_output=True, check=True)
        self.assertEqual(got.stdout, file.read_bytes())

    def test_a_cluster_works_with_keys_and_its_logs_hold_none(self):
        self.cluster.start()
        self.assert_it_works(1)
        wait_until(lambda: '"event":"heartbeat"' in self.cluster.log("o1").replace(": ", ":"), "the feed is heard")
        wait_until(lambda: '"w1"' in self.cluster.log("o1"), "the feed tells of workers")
        self.cluster.kill("b1")
        self.cluster.start("b1")
        self.cluster.wait_for_members(*self.cluster.names)
        self.assert_it_works(2)
        self.assert_no_key_is_told()

    def test_no_socket_lets_in_a_wrong_key_or_none(self):
        self.cluster.start()
        self.cluster.make_key("stranger", "worker")  # not on the cluster's list
        sockets = [(0, "hello", "b1"), (1, "listen", "b1"), (2, "heartbeat", "b1"), (30, "want", "w1")]
        for port, says, server in sockets:
            with self.subTest(port=port, says=says):
                told = self.cluster.knock(port, "stranger", "worker", says, "stranger", server)
                self.assertEqual(set(told) - {"broken off"}, {"not admitted"}, told)
                told = self.cluster.knock(port, "stranger", "worker", says)
                self.assertLessEqual(set(told), {"broken off", "other trust"}, "without a key")
                told = self.cluster.knock(port, "w1", "worker", says, "w1", "o1")
                self.assertEqual(set(told), {"broken off"}, "not to whom it believes to speak")
        told = self.cluster.knock(30, "o1", "observer", "want", "o1", "w1")
        self.assertEqual(set(told), {"not admitted"}, "an observer reads no blocks")
        self.assertIn("w1", self.cluster.members())
        self.assert_it_works(1)
        wait_until(lambda: "is not in the allow-list" in self.cluster.log("b1"), "the broker tells of refusals")
        self.assert_no_key_is_told()

    def test_a_key_is_for_its_name_and_its_roles(self):
        self.cluster.start("b1", "w1")
        self.cluster.make_key("watcher", "observer")
        self.cluster.make_key("consumer", "leecher")
        self.cluster.allow()
        welcome = ["connected", "heard welcome"]
        wait_until(lambda: self.cluster.knock(0, "watcher", "observer", "hello", "watcher") == welcome,
                   "the new keys are let in")
        for name, role, key, reason in (("w2", "worker", "watcher", "its key is for 'watcher' as observer"),
                                        ("watcher", "worker", "watcher", "not for 'watcher' as worker"),
                                        ("watcher", "client", "watcher", "not for 'watcher' as client"),
                                        ("b2", "master", "watcher", "as master")):
            connected, answer = self.cluster.knock(0, name, role, "hello", key)
            self.assertEqual(connected, "connected")
            self.assertIn("heard refused: its key is for", answer)
            self.assertIn(reason, answer)
        told = self.cluster.knock(0, "watcher", "observer", "submit", "watcher")
        self.assertEqual(told[:2], welcome)
        self.assertIn("heard refused: a observer may not say", told[2])
        told = self.cluster.knock(0, "consumer", "leecher", "complete", "consumer")
        self.assertEqual(told[:2], welcome)
        self.assertIn("heard refused: a leecher may not say complete", told[2])
        _, answer = self.cluster.knock(30, "w2", "worker", "want", "consumer", "w1")
        self.assertIn("heard refused", answer)
        _, answer = self.cluster.knock(30, "consumer", "leecher", "want", "consumer", "w1")
        self.assertNotIn("refused", answer)

    def test_a_revoked_key_is_out_at_once_and_back_when_it_is_allowed_again(self):
        self.cluster.start()
        self.cluster.allow("w2", "o1")
        wait_until(lambda: "w2" not in self.cluster.members(), "the revoked worker is no member")
        wait_until(lambda: "o1" not in self.cluster.members(), "the revoked observer is no member")
        wait_until(lambda: "does not let in the key of 'w2'" in self.cluster.log("w2"), "it is told why")
        heard = len(self.cluster.log("o1"))
        self.assertEqual(self.cluster.ask("submit", "echo", "--wait")["worker"], "w1")
        wait_until(lambda: {"w1", "g1"} <= self.cluster.members().keys(), "the others stay")
        self.assertNotIn('"event":"task"', self.cluster.log("o1")[heard:].replace(": ", ":"))
        told = self.cluster.knock(1, "o1", "observer", "listen", "o1")
        self.assertNotIn("connected", told)
        self.cluster.allow()
        self.cluster.wait_for_members(*self.cluster.names)
        self.assert_it_works(1)

    def test_a_broker_takes_another_key_while_its_nodes_run(self):
        self.cluster.start("b1", "w1", "w2", "g1")
        old = (self.cluster.keys / "b1.pub").read_text()
        subprocess.run([BIN / "cidbus", "keygen", "b1", "--role", "master", "--dir", self.cluster.keys, "--force"],
                       check=True, stdout=subprocess.DEVNULL)
        self.cluster.allow()
        self.assertNotIn(old, (self.cluster.keys / "allow").read_text())
        self.cluster.kill("b1")
        self.cluster.start("b1")
        self.cluster.wait_for_members("b1", "w1", "w2", "g1")
        self.assert_it_works(1)

    def test_a_command_is_told_in_a_line_why_it_may_not(self):
        self.cluster.start("b1", "w1")
        self.cluster.make_key("late", "client")
        keys = self.cluster.keys

        def command(*flags, status=True):
            flags = ["--brokers", self.cluster.broker_address, "--cluster", self.cluster.name, *map(str, flags)]
            words = ["cluster", "status"] if status else []
            done = subprocess.run([BIN / "cidbus", *words, *flags], capture_output=True, text=True,
                                  timeout=PATIENCE_SECONDS, check=False)
            done.code, done.err = done.returncode, done.stderr
            return done

        self.assert_fails(command(), 77, "takes nobody without a key", "--key-file")
        self.assert_fails(command("--key-file", keys / "late.key"), 77, "is not in the allow-list", ".pub")
        (self.folder / "mine").write_text((keys / "allow").read_text() + (keys / "late.pub").read_text())
        self.assert_fails(command("--key-file", keys / "late.key", "--allow-file", self.folder / "mine"), 77,
                          "does not let in the key of 'late'")
        (self.folder / "odd").write_text((keys / "allow").read_text().replace("b1 master", "b1 observer"))
        self.assert_fails(command("--key-file", keys / "person.key", "--allow-file", self.folder / "odd"), 77,
                          "no key for who is there")
        os.chmod(keys / "late.key", 0o644)
        self.assert_fails(command("--key-file", keys / "late.key"), 77, "chmod 600")
        self.assert_fails(command("--key-file", keys / "none.key"), 65, "none.key", "no such file")
        (keys / "bad.key").write_text("rubbish\n")
        os.chmod(keys / "bad.key", 0o600)
        self.assert_fails(command("--key-file", keys / "bad.key"), 65, "no private key")
        (self.folder / "bad").write_text("b1 boss x\n")
        self.assert_fails(command("--key-file", keys / "person.key", "--allow-file", self.folder / "bad"), 65,
                          "bad line 1")
        self.assert_fails(command("--key-file", keys / "person.key", "--insecure"), 2, "exclude")

    def test_keygen_makes_what_is_promised(self):
        done = self.cluster.cidbus("keygen", "w9", "--role", "worker,leecher", "--dir", self.folder, "--output", "json")
        self.assertEqual(done.code, 0, str(done))
        made = done.json()
        self.assertEqual(stat.S_IMODE(os.stat(made["private_key_file"]).st_mode), 0o600)
        self.assertEqual(made["allow_line"], f"w9 worker,leecher {made['public_key']}")
        self.assertEqual((self.folder / "w9.pub").read_text(), made["allow_line"] + "\n")
        secret = (self.folder / "w9.key").read_text().splitlines()[-1]
        self.assertNotIn(secret, done.out)
        again = self.cluster.cidbus("keygen", "w9", "--dir", self.folder)
        self.assert_fails(again, 2, "--force")
        self.assert_fails(self.cluster.cidbus("keygen", "w9", "--dir", self.folder / "none"), 65, "no such folder")
        self.assert_fails(self.cluster.cidbus("keygen", "w9", "--role", "boss", "--dir", self.folder), 2, "worker")
        self.assert_fails(self.cluster.cidbus("keygen", "a b", "--dir", self.folder), 2, "a b")


class WithoutKeys(ClusterTest):
    def assert_refused(self, done):
        self.assertEqual(done.returncode, 77, done.stderr)
        self.assertRegex(done.stderr, r"without keys; give --key-file FILE .* or say --insecure")

    def run_node(self, *words):
        return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=PATIENCE_SECONDS,
                              check=False)

    def test_nothing_leaves_loopback(self):
        far = ["--brokers", "192.0.2.1:9096"]
        common = ["--name", "x1", "--cluster", "test"]
        cluster = self.new_cluster()
        port = cluster.ports.base
        self.assert_refused(self.run_node(BIN / "cidbus-broker", *common, "--data", self.folder / "b",
                                          "--listen", f"0.0.0.0:{port}"))
        self.assert_refused(self.run_node(BIN / "cidbus-worker", *common, "--data", self.folder / "w",
                                          "--exchange", f"0.0.0.0:{port}"))
        self.assert_refused(self.run_node(BIN / "cidbus-worker", *common, *far, "--data", self.folder / "w",
                                          "--exchange", f"127.0.0.1:{port}"))
        self.assert_refused(self.run_node(BIN / "cidbus-gateway", *common, *far, "--http", f"127.0.0.1:{port}"))
        self.assert_refused(self.run_node(BIN / "cidbus-observer", *common, *far))
        self.assert_refused(self.run_node(BIN / "cidbus", "cluster", "status", *far))

    def test_insecure_is_warned_of_at_every_start(self):
        cluster = self.new_cluster(workers=0)
        known = cluster.command
        cluster.command = lambda name: [*known(name), "--insecure"]
        for starts in (1, 2):
            cluster.start("b1")
            self.assertEqual(len(re.findall("warning.*--insecure", cluster.log("b1"))), starts)
            warned = cluster.cidbus("cluster", "leader", "--insecure", "--output", "quiet")
            self.assertEqual((warned.code, warned.out), (0, "b1\n"), str(warned))
            self.assertIn("no keys are used", warned.err)
            cluster.stop("b1")


if __name__ == "__main__":
    unittest.main()

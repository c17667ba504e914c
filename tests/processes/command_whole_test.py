"""doctor and completion, as a user types them."""

import json
import shutil
import socket
import subprocess
import unittest

from cluster import BIN, ClusterTest, Ports, wait_until


class Doctor(ClusterTest):
    def findings(self, done):
        return {row["check"]: row for row in json.loads(done.out)}

    def test_a_cluster_that_is_well(self):
        cluster = self.start_cluster(workers=1)
        done = cluster.cidbus("doctor", "--data", self.folder, "--output", "json")
        found = self.findings(done)
        self.assertEqual(found[f"address {cluster.broker_address}"]["state"], "ok", str(done))
        self.assertEqual(found["keys"]["state"], "ok", str(done))
        broker = found[f"broker {cluster.broker_address}"]
        self.assertEqual((broker["state"], broker["advice"]), ("ok", None), str(done))
        self.assertIn(f"protocol 1, cluster {cluster.name}", broker["found"])
        self.assertEqual(found["leader"]["found"], "b1")
        self.assertEqual((found["workers"]["state"], found["workers"]["found"]), ("ok", "1 alive"))
        self.assertEqual((found["block exchange"]["state"], found["block exchange"]["found"]), ("ok", "all of 1 reached"))
        self.assertIn("a synced write takes", found[f"disk {self.folder}"]["found"])
        bad = [name for name, row in found.items() if row["state"] == "bad"]
        self.assertEqual(done.code == 0, not bad, str(done))

    def test_a_cluster_without_a_worker_and_a_broker_that_is_not_there(self):
        cluster = self.start_cluster(workers=0)
        done = cluster.cidbus("doctor", "--output", "json")
        self.assertEqual(self.findings(done)["workers"]["state"], "bad", str(done))
        self.assertIn("start cidbus-worker", self.findings(done)["workers"]["advice"])
        self.assertEqual(done.code, 1, str(done))
        cluster.stop("b1")
        done = cluster.cidbus("doctor", "--timeout", "1s")
        self.assert_fails(done, 69, f"address {cluster.broker_address}")
        self.assertIn("-> nobody listens there: start cidbus-broker", done.out)

    def test_another_cluster_is_said_to_be_one(self):
        cluster = self.start_cluster(workers=0)
        cluster.name = "another"
        done = cluster.cidbus("doctor", "--output", "json")
        self.assertEqual(done.code, 77, str(done))
        self.assertIn("--cluster", self.findings(done)[f"broker {cluster.broker_address}"]["advice"])

    def test_a_broker_without_a_majority_is_one(self):
        cluster = self.new_cluster(workers=0, brokers=3)
        cluster.spawn("b2")
        address = cluster.address_of_broker("b2")
        done = wait_until(lambda: (said := cluster.cidbus("doctor", "--output", "json", brokers=address)) and
                          "it is a broker of this cluster" in said.out and said, "b2 says that nobody leads")
        self.assertEqual(done.code, 69, str(done))
        self.assertIn("a majority of the brokers", self.findings(done)[f"broker {address}"]["advice"])

    def test_what_listens_that_is_no_broker(self):
        ports = Ports()
        self.addCleanup(ports.close)
        with socket.create_server(("127.0.0.1", ports.base)):
            cluster = self.new_cluster(workers=0)
            done = cluster.cidbus("doctor", "--brokers", f"127.0.0.1:{ports.base}", "--timeout", "1s")
        self.assert_fails(done, 69, "broker 127.0.0.1")

    def test_what_the_roles_think_of_their_own_tables(self):
        cluster = self.start_cluster(workers=1)
        file = self.file("roles.toml", b"[worker]\nslots = 3\n[gateway]\nhttp = 80\n")
        done = cluster.cidbus("--config", file, "doctor", "--output", "json")
        found = self.findings(done)
        self.assertEqual(found["configuration"]["state"], "ok", str(done))
        self.assertEqual(found["configuration of cidbus-worker"]["state"], "ok", str(done))
        self.assertEqual(found["configuration of cidbus-gateway"]["state"], "bad", str(done))
        self.assertIn(":4: http takes text", found["configuration of cidbus-gateway"]["found"])
        self.assertEqual(done.code, 65, str(done))

    def test_keys_that_fit_and_keys_that_do_not(self):
        cluster = self.new_cluster(workers=0)
        for name, role in (("anna", "client"), ("watch", "observer"), ("late", "client")):
            cluster.keys = self.folder
            cluster.make_key(name, role)
        cluster.allow("late")
        cluster.keys = None
        def keys(*words):
            done = cluster.cidbus("doctor", *words, "--timeout", "1s", "--output", "json")
            return self.findings(done)["keys"], done
        found, done = keys("--key-file", self.folder / "anna.key")
        self.assertEqual(found["state"], "ok", str(done))
        self.assertIn("'anna' as client", found["found"])
        found, done = keys("--key-file", self.folder / "watch.key")
        self.assertEqual((found["state"], "role client" in found["advice"]), ("bad", True), str(done))
        found, done = keys("--key-file", self.folder / "late.key")
        self.assertEqual((found["state"], done.code), ("bad", 77), str(done))
        self.assertIn("is not in the allow-list", found["found"])
        found, done = keys("--key-file", self.folder / "none.key")
        self.assertEqual((found["state"], done.code), ("bad", 65), str(done))
        found, done = keys("--insecure")
        self.assertEqual(found["state"], "warning", str(done))
        found, done = keys("--brokers", "192.0.2.1:9096")
        self.assertEqual((found["state"], done.code), ("bad", 77), str(done))
        self.assertIn("keygen", found["advice"])

    def test_an_address_whose_name_is_not_known(self):
        cluster = self.new_cluster(workers=0)
        done = cluster.cidbus("doctor", "--insecure", "--brokers", "no-such-host.invalid:9096", "--timeout", "2s")
        self.assertEqual(done.code, 69, str(done))
        self.assertIn("address no-such-host.invalid:9096", done.err.splitlines()[-1], "behind the warning of --insecure")
        self.assertIn("is not found", done.out)

    def test_a_bad_file_and_a_folder_that_is_not_there(self):
        cluster = self.start_cluster(workers=1)
        bad = self.file("bad.toml", b"[command]\noutptu = 'json'\n")
        done = cluster.cidbus("--config", bad, "doctor", "--output", "json")
        self.assertEqual(self.findings(done)["configuration"]["state"], "bad", str(done))
        self.assertIn("did you mean 'output'?", self.findings(done)["configuration"]["found"])
        done = cluster.cidbus("doctor", "--data", "/no/such/folder/at/all", "--output", "json")
        self.assertEqual(self.findings(done)["disk /no/such/folder/at/all"]["state"], "bad", str(done))


class ManualPages(ClusterTest):
    def test_every_program_and_command_has_one_that_man_takes_without_a_warning(self):
        for program in ("cidbus", "cidbus-broker", "cidbus-worker", "cidbus-gateway", "cidbus-observer", "cidbus-leecher", "cidbus-node"):
            subprocess.run([BIN / program, "--describe-man", self.folder], check=True, timeout=30)
        for program in (("cidbus-broker", "journal"), ("cidbus-leecher", "status"), ("cidbus-leecher", "pin"),
                        ("cidbus-observer", "history"), ("cidbus-observer", "alerts"), ("cidbus-observer", "rules")):
            subprocess.run([BIN / program[0], program[1], "--describe-man", self.folder], check=True, timeout=30)
        pages = sorted(path.name for path in self.folder.glob("*.1"))
        self.assertTrue({"cidbus.1", "cidbus-submit.1", "cidbus-task-show.1", "cidbus-keygen.1", "cidbus-worker.1",
                         "cidbus-broker-journal-repair.1", "cidbus-leecher-pin.1"} <= set(pages), pages)
        self.assertIn("\n.B cidbus task show\n", (self.folder / "cidbus-task-show.1").read_text(encoding="utf-8"))
        self.assertIn("\n.B cidbus\\-leecher pin\n", (self.folder / "cidbus-leecher-pin.1").read_text(encoding="utf-8"))
        self.assertIn("\\-\\-storage\\-max", (self.folder / "cidbus-worker.1").read_text(encoding="utf-8"))
        if shutil.which("man") is None:
            self.skipTest("man is not installed")
        for page in pages:
            done = subprocess.run(["man", "--warnings", "-l", self.folder / page], capture_output=True, text=True, check=False,
                                  stdin=subprocess.DEVNULL, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANWIDTH": "120"})
            self.assertEqual((done.returncode, done.stderr), (0, ""), page)
            self.assertIn("OPTIONS", done.stdout, page)
            if shutil.which("mandoc"):
                lint = subprocess.run(["mandoc", "-T", "lint", "-W", "error", self.folder / page], capture_output=True,
                                      text=True, check=False)
                self.assertEqual((lint.returncode, lint.stdout), (0, ""), page)


class Completion(ClusterTest):
    def script(self, shell):
        done = subprocess.run([BIN / "cidbus", "completion", shell], capture_output=True, text=True, check=True)
        path = self.folder / f"completion.{shell}"
        path.write_text(done.stdout, encoding="utf-8")
        return path

    def in_bash(self, *words):
        """What bash offers behind `cidbus WORDS`, the last of which is being typed."""
        quoted = " ".join(f"'{word}'" for word in ("cidbus",) + words)
        program = (f"source '{self.path}'; compopt() {{ :; }}; COMP_WORDS=({quoted}); COMP_CWORD={len(words)}; _cidbus; "
                   'printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "-uc", program], capture_output=True, text=True, check=False, cwd=self.folder)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stderr)
        return done.stdout.split()

    def test_bash(self):
        self.path = self.script("bash")
        self.assertIn("submit", self.in_bash(""))
        self.assertEqual(self.in_bash("subm"), ["submit"])
        self.assertEqual(set(self.in_bash("task", "")) & {"show", "wait", "list", "cancel", "submit"},
                         {"show", "wait", "list", "cancel"})
        self.assertIn("--priority", self.in_bash("submit", "--pri"))
        self.assertEqual(self.in_bash("task", "list", "--output", "nd"), ["ndjson"])
        self.assertEqual(self.in_bash("--cluster", "task", "add", "--rec"), ["--recursive"], "a value is no command")
        self.assertEqual(self.in_bash("completion", "z"), ["zsh"])
        (self.folder / "picture one.jpg").touch()
        self.assertEqual(" ".join(self.in_bash("add", "pict")), "picture one.jpg")
        self.assertEqual(self.in_bash("--check"), [], "what is hidden stays hidden")

    def test_zsh(self):
        if shutil.which("zsh") is None:
            self.skipTest("zsh is not installed")
        path = self.script("zsh")
        def offered(*words):
            quoted = " ".join(f"'{word}'" for word in ("cidbus",) + words)
            program = (f"compadd() {{ shift; print -l -- $@ }}; _files() {{ print FILES }}; source '{path}'; "
                       f"words=({quoted}); CURRENT={len(words) + 1}; _cidbus")
            done = subprocess.run(["zsh", "-fc", program], capture_output=True, text=True, check=False)
            self.assertEqual(done.stderr, "")
            return done.stdout.split()
        self.assertIn("submit", offered(""))
        self.assertIn("--priority", offered("submit", "--"))
        self.assertEqual(offered("--output", ""), ["table", "json", "ndjson", "quiet"])
        self.assertIn("FILES", offered("add", ""))

    def test_fish(self):
        if shutil.which("fish") is None:
            self.skipTest("fish is not installed")
        path = self.script("fish")
        def offered(line):
            done = subprocess.run(["fish", "--no-config", "-c", f"source '{path}'; complete -C '{line}'"],
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.stderr, "")
            return [row.split("\t")[0] for row in done.stdout.splitlines()]
        self.assertEqual(offered("cidbus subm"), ["submit"])
        self.assertIn("cancel", offered("cidbus task "))
        self.assertIn("--priority", offered("cidbus submit --pri"))
        self.assertIn("ndjson", offered("cidbus task list --output "))


if __name__ == "__main__":
    unittest.main()

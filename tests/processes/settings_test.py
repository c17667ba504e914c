"""Settings as a user gives them: in files, in the environment, on the command line; and what is said about bad ones."""

import json
import os
import subprocess
import unittest

from cluster import BIN, ClusterTest, Done, die_with_the_test

ROLES = ("broker", "worker", "gateway", "observer", "leecher")


class Settings(ClusterTest):
    def setUp(self):
        super().setUp()
        self.home = self.folder / "home"
        self.user_file = self.home / ".config/cidbus/cidbus.toml"
        self.user_file.parent.mkdir(parents=True)

    def run_program(self, program, *words, **variables):
        """A program in an environment that has a HOME and nothing of cidbus but `variables`."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("CIDBUS_", "XDG_"))}
        environment |= {"HOME": str(self.home)} | variables
        done = subprocess.run([BIN / program, *map(str, words)], capture_output=True, text=True, timeout=60, check=False,
                              env=environment, stdin=subprocess.DEVNULL, preexec_fn=die_with_the_test)
        return Done([program, *words], done.returncode, done.stdout, done.stderr)

    def origins(self, program, *words, **variables):
        """name -> (value, origin), of a role."""
        done = self.run_program(program, *words, "--show-origin", **variables)
        self.assertEqual(done.code, 0, str(done))
        rows = [line.split(None, 1) for line in done.out.splitlines()]
        return {name: rest.strip() for name, rest in rows}

    def test_flag_environment_users_file_default(self):
        self.user_file.write_text('[common]\ncluster = "filed"\n[worker]\nslots = 7\n', encoding="utf-8")
        self.assertRegex(self.origins("cidbus-worker")["slots"], rf"^7\s+{self.user_file}:4$")
        found = self.origins("cidbus-worker", CIDBUS_SLOTS="8")
        self.assertRegex(found["slots"], r"^8\s+environment CIDBUS_SLOTS$")
        self.assertRegex(found["cluster"], rf"^filed\s+{self.user_file}:2$")
        self.assertRegex(found["drain"], r"^30\s+default$")
        self.assertRegex(self.origins("cidbus-worker", "--slots", 9, CIDBUS_SLOTS="8")["slots"], r"^9\s+flag$")

    def test_xdg_config_home_is_honoured_and_another_file_may_be_named(self):
        other = self.folder / "xdg/cidbus/cidbus.toml"
        other.parent.mkdir(parents=True)
        other.write_text("[worker]\nslots = 3\n", encoding="utf-8")
        self.user_file.write_text("[worker]\nslots = 7\n", encoding="utf-8")
        found = self.origins("cidbus-worker", XDG_CONFIG_HOME=str(self.folder / "xdg"))
        self.assertRegex(found["slots"], rf"^3\s+{other}:2$")
        self.assertRegex(self.origins("cidbus-worker", "--config", other)["slots"], rf"^3\s+{other}:2$")
        self.assertRegex(self.origins("cidbus-worker", CIDBUS_CONFIG="/dev/null")["slots"], r"\s+default$")

    def test_every_flag_of_every_role_is_a_setting(self):
        for role in ROLES:
            program = f"cidbus-{role}"
            help_text = self.run_program(program, "--help").out
            flags = {line.split()[0].split(",")[0].lstrip("-") for line in help_text.splitlines()
                     if line.startswith("  --")} - {"help", "version", "config", "show-origin", "insecure"}
            found = self.origins(program)
            self.assertEqual(flags, set(found), program)
            for flag in flags:
                variable = "CIDBUS_" + flag.upper().replace("-", "_")
                done = self.run_program(program, "--show-origin", **{variable: "\x1bno value for anything"})
                told = f"environment {variable}" in done.out or done.err.startswith(f"{program}: {variable}: ")
                self.assertTrue(told, f"{variable}: {done}")
                self.assertNotIn("\x1b", done.out + done.err)

    def test_a_role_refuses_a_bad_file_by_file_line_and_key(self):
        self.user_file.write_text("[worker]\n\nslot = 3\n", encoding="utf-8")
        done = self.run_program("cidbus-worker", "--name", "w1", "--data", self.folder / "w1")
        self.assert_fails(done, 65, f"{self.user_file}:3", "'slot'", "did you mean 'slots'?")
        self.assertFalse((self.folder / "w1").exists(), "nothing was started")
        self.assertEqual(self.run_program("cidbus-observer", "--show-origin").code, 0, "it is no file of the observer's")
        missing = self.run_program("cidbus-worker", "--config", self.folder / "none.toml")
        self.assert_fails(missing, 65, "none.toml", "no such file")

    def test_what_is_required_is_asked_for_with_all_three_ways_to_give_it(self):
        done = self.run_program("cidbus-worker", "--data", self.folder / "w1")
        self.assert_fails(done, 2, "--name is missing", "CIDBUS_NAME", "under [worker]")

    def test_a_mistyped_flag_is_told_the_nearest(self):
        self.assert_fails(self.run_program("cidbus-worker", "--slot", 3), 2, "'--slot'", "did you mean '--slots'?")
        self.assert_fails(self.run_program("cidbus", "sumbit", "echo"), 2, "did you mean 'submit'?")

    def test_config_check_judges_each_programs_table(self):
        self.user_file.write_text('[common]\nbrokers = ["a:1", "b:2"]\n[worker]\nslots = 3\n[command]\noutput = "json"\n',
                                  encoding="utf-8")
        done = self.run_program("cidbus", "config", "check", "--output", "json")
        self.assertEqual(done.code, 0, str(done))
        self.assertEqual([(row["program"], row["state"]) for row in done.json()],
                         [("cidbus", "ok"), ("cidbus-worker", "ok")])
        bad = self.folder / "bad.toml"
        bad.write_text('[worker]\nslots = 3\n[gateway]\nhttp = 80\n', encoding="utf-8")
        done = self.run_program("cidbus", "config", "check", bad)
        self.assert_fails(done, 65, f"{bad}:4: http takes text")
        for text, words in (("[command]\noutput = 'yaml'\n", ["bad.toml:2", "'yaml'"]),
                            ("[worker\n", ["bad.toml:1", "no toml"]), ("[wroker]\n", ["bad.toml:1", "'worker'"])):
            bad.write_text(text, encoding="utf-8")
            self.assert_fails(self.run_program("cidbus", "config", "check", bad), 65, *words)
        bad.write_bytes(bytes(range(256)))
        self.assert_fails(self.run_program("cidbus", "config", "check", bad), 65, "bad.toml:1")
        bad.write_bytes(b"#" * (2 << 20))
        self.assert_fails(self.run_program("cidbus", "config", "check", bad), 65, "larger than")
        bad.write_text("", encoding="utf-8")
        self.assertEqual(self.run_program("cidbus", "config", "check", bad).code, 0)
        self.assert_fails(self.run_program("cidbus", "config", "check", self.folder / "none"), 65, "no such file")

    def test_config_check_works_while_the_file_in_use_is_bad_and_other_commands_say_so(self):
        self.user_file.write_text("[command]\ntimeout = 5\n", encoding="utf-8")
        self.assert_fails(self.run_program("cidbus", "cluster", "status"), 65, f"{self.user_file}:2", "timeout")
        self.assert_fails(self.run_program("cidbus", "config", "check"), 65, f"{self.user_file}:2")
        self.user_file.unlink()
        self.assertIn("no configuration file", self.run_program("cidbus", "config", "check").out)

    def test_the_command_shows_its_origins_too(self):
        self.user_file.write_text('[common]\ncluster = "filed"\n', encoding="utf-8")
        done = self.run_program("cidbus", "task", "list", "--timeout", "3s", "--output", "json", "--show-origin")
        self.assertEqual(done.code, 0, str(done))
        found = {row["name"]: (row["value"], row["origin"]) for row in json.loads(done.out)}
        self.assertEqual(found["cluster"], ("filed", f"{self.user_file}:2"))
        self.assertEqual(found["timeout"], ("3s", "flag"))
        self.assertEqual(found["brokers"], ("127.0.0.1:9096", "default"))

    def test_one_output_variable_suits_every_program(self):
        cluster = self.start_cluster(workers=0)
        where = {"CIDBUS_BROKERS": cluster.broker_address, "CIDBUS_CLUSTER": cluster.name}
        for word in ("table", "json", "ndjson", "quiet"):
            self.assertEqual(self.run_program("cidbus", "cluster", "leader", CIDBUS_OUTPUT=word, **where).code, 0, word)
            self.assertRegex(self.origins("cidbus-observer", CIDBUS_OUTPUT=word)["output"], rf"^{word}\s+environment")
            status = self.run_program("cidbus-leecher", "status", "--http", "127.0.0.1:1", CIDBUS_OUTPUT=word)
            self.assert_fails(status, 69, "127.0.0.1:1")
        environment = os.environ | where | {"HOME": str(self.home), "CIDBUS_OUTPUT": "json"}
        with subprocess.Popen([BIN / "cidbus-observer", "--name", "o9"], stdout=subprocess.PIPE, text=True, env=environment,
                              preexec_fn=die_with_the_test) as observer:
            self.assertIn("event", json.loads(observer.stdout.readline()))
            observer.terminate()
        self.assert_fails(self.run_program("cidbus-observer", "--name", "o9", "--output", "text"), 2, "'text'", "table")

    def test_words_are_checked_in_files_and_told(self):
        for table, key, word in (("broker", "durability", "disc"), ("worker", "store", "packs"), ("observer", "output", "jsn")):
            self.user_file.write_text(f'[{table}]\n{key} = "{word}"\n', encoding="utf-8")
            self.assert_fails(self.run_program("cidbus", "config", "check"), 65, f"{self.user_file}:2: {key}", "did you mean")

    def test_help_speaks_in_words_and_shows_examples_and_exit_codes(self):
        for words in (["cidbus-broker"], ["cidbus-worker"], ["cidbus-gateway"], ["cidbus-observer"], ["cidbus-leecher"],
                      ["cidbus-leecher", "status"], ["cidbus-leecher", "pin"], ["cidbus-broker", "journal"],
                      ["cidbus-broker", "journal", "repair"], ["cidbus", "task", "list"], ["cidbus", "keygen"]):
            text = self.run_program(*words, "--help").out
            self.assertIn("Exit codes:", text, words)
            self.assertRegex(text, "Examples:\n  " + " ".join(words), words)
            for foreign in ("UINT", "FLOAT", ":{", "REQUIRED", "\n\n\n"):
                self.assertNotIn(foreign, text, words)
            self.assertEqual([line for line in text.splitlines() if len(line) > 120], [], words)
        worker = self.run_program("cidbus-worker", "--help").out
        self.assertRegex(worker, r"--slots N \(1-1000\) \[\d+\]")
        self.assertIn("--name NAME (required)", worker)
        self.assertIn("--brokers, --master HOST:PORT,… [127.0.0.1:9096]", worker)
        self.assertIn("--durability quorum|disk|memory", self.run_program("cidbus-broker", "--help").out)

    def test_a_cluster_runs_on_files_and_environment_alone(self):
        cluster = self.new_cluster(workers=0)
        broker = self.folder / "broker.toml"
        broker.write_text(f'[common]\ncluster = "{cluster.name}"\n[broker]\nname = "b1"\n'
                          f'listen = "{cluster.broker_address}"\ndata = "{self.folder}/b1"\n', encoding="utf-8")
        cluster.command = lambda name: [BIN / "cidbus-broker", "--config", broker]
        cluster.start("b1")
        self.user_file.write_text(f'[common]\nbrokers = ["{cluster.broker_address}"]\ncluster = "{cluster.name}"\n',
                                  encoding="utf-8")
        done = self.run_program("cidbus", "cluster", "leader", CIDBUS_OUTPUT="quiet")
        self.assertEqual((done.code, done.out), (0, "b1\n"), str(done))


if __name__ == "__main__":
    unittest.main()

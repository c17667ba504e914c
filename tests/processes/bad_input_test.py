"""Bad input: each kind ends with one clear line and the exit code that DESIGN promises."""

import json
import os
import signal
import subprocess
import unittest

import cids
from cluster import BIN, PHOTOGRAPH, ClusterTest, Ports, wait_until


class BadInput(ClusterTest):
    def setUp(self):
        super().setUp()
        self.cluster = self.start_cluster(workers=2)

    def test_a_missing_file(self):
        self.assert_fails(self.cluster.cidbus("add", "/no/such/file"), 65, "/no/such/file", "no such file")
        done = self.cluster.cidbus("submit", "hash", "--input", "./no-such-file", "--wait")
        self.assert_fails(done, 65, "no-such-file")

    def test_an_unreadable_image(self):
        text = self.file("text.jpg", b"this is no picture\n" * 100)
        done = self.cluster.cidbus("submit", "process_content", "--input", text, "--param", "transform=resize",
                                   "--param", "width=320", "--wait")
        self.assert_fails(done, 1, "image")

    def test_a_picture_that_is_cut_off(self):
        cut = self.file("cut.jpg", PHOTOGRAPH.read_bytes()[:1000])
        done = self.cluster.cidbus("submit", "process_content", "--input", cut, "--param", "transform=resize",
                                   "--param", "width=320", "--wait")
        self.assert_fails(done, 1)

    def test_a_bad_parameter(self):
        picture = self.cluster.add(PHOTOGRAPH)
        for parameters, says in ((["transform=fold"], "fold"), (["transform=crop"], "give width and height"),
                                 (["transform=resize", "width=minus"], "minus"), (["transform=resize", "width=0"], "width"),
                                 (["transform=resize", "width=10", "colour=red"], "colour")):
            with self.subTest(parameters):
                options = [word for parameter in parameters for word in ("--param", parameter)]
                done = self.cluster.cidbus("submit", "process_content", "--input", picture, *options, "--wait")
                self.assert_fails(done, 1, says)
        done = self.cluster.cidbus("submit", "process_content", "--input", picture, "--param", "transform=resize", "--param",
                                   "width=10", "--wait")
        self.assertEqual(done.code, 0, f"nothing but the parameter was wrong: {done}")

    def test_an_unknown_task_type(self):
        done = self.cluster.cidbus("submit", "no_such_type", "--wait", "--timeout", "20s")
        self.assert_fails(done, 2, "no_such_type")

    def test_a_key_with_another_request(self):
        asked = ["submit", "echo", "--key", "k1", "--param", "n=1", "--wait"]
        first = self.cluster.ask(*asked)
        self.assertEqual(self.cluster.ask(*asked)["id"], first["id"], "the same again is the same task")
        for words in (["echo", "--param", "n=2"], ["echo"], ["analyze", "--param", "n=1"]):
            with self.subTest(words):
                done = self.cluster.cidbus("submit", *words, "--key", "k1", "--wait")
                self.assert_fails(done, 65, first["id"], "key", "give another key")
        batch = '{"type": "echo", "params": {"n": "2"}, "key": "k1"}'
        done = self.cluster.cidbus("submit", "--batch", "-", "--output", "ndjson", given=batch + "\n")
        self.assertEqual((done.code, done.lines()[0].get("code")), (65, 65), str(done))
        self.assert_fails(self.cluster.cidbus("submit", "echo", "--key", ""), 2, "--key", "empty", "leave it out")

    def test_what_keeps_a_task_waiting(self):
        self.cluster.cidbus("submit", "echo", "--wait")
        done = self.cluster.cidbus("submit", "echo", "--delay", "1h", "--wait", "--timeout", "2s")
        self.assert_fails(done, 124, "4 of 4 slots are free", "its time has not come")
        self.cluster.kill("w1")
        self.cluster.kill("w2")
        wait_until(lambda: set(self.cluster.members()) == {"b1"}, "the leader misses both workers")
        done = self.cluster.cidbus("submit", "echo", "--wait", "--timeout", "2s")
        self.assert_fails(done, 124, "no worker is there")

    def test_what_is_no_cid(self):
        for text in ("bafynotacid", "Qm", "zzzz", "b" * 300, ""):
            with self.subTest(text):
                self.assert_fails(self.cluster.cidbus("get", text, "-o", self.folder / "out"), 65, "CID")
                self.assertFalse((self.folder / "out").exists())
        self.assert_fails(self.cluster.cidbus("cat", "bafynotacid"), 65, "bafynotacid")

    def test_a_cid_that_nobody_holds_is_said_so_within_the_timeout(self):
        nobodys = cids.cid_of_raw(b"nobody holds this")
        done = self.cluster.cidbus("cat", nobodys, "--timeout", "5s", timeout=15)
        self.assert_fails(done, 1, nobodys)
        done = self.cluster.cidbus("submit", "hash", "--input", nobodys, "--wait", "--timeout", "30s", timeout=45)
        self.assert_fails(done, 1, nobodys)

    def test_a_task_that_waits_for_what_nobody_holds_says_so_when_the_time_is_up(self):
        nobodys = cids.cid_of_raw(b"nobody holds this")
        done = self.cluster.cidbus("submit", "hash", "--input", nobodys, "--retries", "50", "--wait", "--timeout", "8s", timeout=30)
        self.assert_fails(done, 124, nobodys, "cidbus task wait t")

    def test_a_file_that_cannot_be_written(self):
        cid = self.cluster.add(self.file("content", b"content"))
        self.assert_fails(self.cluster.cidbus("get", cid, "-o", "/nope/dir/x"), 65, "/nope/dir", "make it first")

    def test_standard_output_takes_a_file_and_no_folder(self):
        folder = self.folder / "stuff"
        folder.mkdir()
        (folder / "there").write_text("x", encoding="ascii")
        root = self.cluster.cidbus("add", "--recursive", folder, "--output", "quiet").out.strip()
        done = self.cluster.cidbus("get", f"{root}/there", "-o", "-", cwd=folder)
        self.assertEqual((done.code, done.out), (0, "x"), str(done))
        done = self.cluster.cidbus("get", root, "-o", "-", cwd=folder)
        self.assert_fails(done, 2, root, "is a folder, and a file was asked for")
        self.assertEqual(done.out, "")
        self.assertEqual(os.listdir(folder), ["there"], "no file is called -")

    def test_a_path_that_is_not_in_the_folder(self):
        folder = self.folder / "stuff"
        folder.mkdir()
        (folder / "there").write_text("x", encoding="ascii")
        root = self.cluster.cidbus("add", "--recursive", folder, "--output", "quiet").out.strip()
        self.assertEqual(self.cluster.cidbus("cat", f"{root}/there").out, "x")
        for command in ("cat", "ls", "stat"):
            with self.subTest(command):
                self.assert_fails(self.cluster.cidbus(command, f"{root}/nope"), 1, "nope")

    def test_a_loop_of_symlinks_is_added_as_what_it_is_and_not_followed(self):
        loop = self.folder / "loop"
        loop.symlink_to(loop)
        self.assert_fails(self.cluster.cidbus("add", loop), 65, "loop", "symbolic links")
        folder = self.folder / "stuff"
        folder.mkdir()
        (folder / "up").symlink_to(folder)
        done = self.cluster.cidbus("add", "--recursive", folder, "--output", "quiet")
        self.assertEqual(done.code, 0, str(done))
        out = self.folder / "out"
        self.assertEqual(self.cluster.cidbus("get", done.out.strip(), "-o", out).code, 0)
        self.assertEqual(os.readlink(out / "up"), str(folder))

    def test_a_get_that_is_interrupted_while_the_nodes_are_silent_leaves_nothing_behind(self):
        folder, into = self.folder / "large", self.folder / "into"
        folder.mkdir()
        into.mkdir()
        for number in range(4):
            (folder / str(number)).write_bytes(os.urandom(20_000_000))
        cid = self.cluster.cidbus("add", "--recursive", folder, "--output", "quiet").out.strip()
        workers = [self.cluster.running[name] for name in ("w1", "w2")]
        getting = self.cluster.start_cidbus("get", cid, "-o", into / "copy")
        wait_until(lambda: os.listdir(into), "it has begun to write")
        for worker in workers:
            worker.send_signal(signal.SIGSTOP)
        try:
            self.assertIsNone(getting.poll(), "it was done before the nodes fell silent")
            getting.send_signal(signal.SIGINT)
            self.assertEqual(getting.wait(20), 130)
        finally:
            for worker in workers:
                worker.send_signal(signal.SIGCONT)
        getting.communicate()
        self.assertEqual(os.listdir(into), [])

    def test_standard_input_output_or_error_that_is_closed(self):
        for closed, words, code, says in ((0, ["submit", "--batch", "-", "--wait"], 65, "cannot read the batch"),
                                          (1, ["submit", "echo", "--wait"], 1, "cannot write to standard output"),
                                          (2, ["submit", "echo", "--wait"], 0, "")):
            with self.subTest(closed):
                # pylint: disable=subprocess-popen-preexec-fn
                done = subprocess.run([BIN / "cidbus", "--brokers", self.cluster.broker_address, "--cluster", self.cluster.name,
                                       *words], capture_output=True, text=True, check=False, timeout=60,
                                      preexec_fn=lambda number=closed: os.close(number))
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertIn(says, done.stderr)

    def test_no_program_takes_a_full_standard_output_for_success(self):
        for program in ("", "-broker", "-worker", "-leecher", "-gateway", "-observer", "-node"):
            for words in (["--help"], ["--version"]):
                with self.subTest(program=program, words=words), open("/dev/full", "wb") as full:
                    done = subprocess.run([BIN / f"cidbus{program}", *words], stdout=full, stderr=subprocess.PIPE,
                                          text=True, check=False, timeout=60)
                    self.assertEqual(done.returncode, 75, done.stderr)
                    self.assertIn("cannot write to standard output", done.stderr)

    def test_a_reader_that_has_gone_ends_a_command_without_a_word(self):
        for words in (["task", "list"], ["config", "get", "--output", "json"], ["--help"]):
            reading, writing = os.pipe()
            os.close(reading)
            with self.subTest(words), os.fdopen(writing, "wb") as nowhere:
                done = subprocess.run([BIN / "cidbus", "--brokers", self.cluster.broker_address, "--cluster", self.cluster.name,
                                       *words], stdout=nowhere, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
                self.assertEqual((done.returncode, done.stderr), (141, ""))

    def test_a_node_whose_standard_error_is_closed_keeps_its_log_out_of_its_data(self):
        self.cluster.stop("w2")
        node = subprocess.Popen(self.cluster.command("w2"), stdout=subprocess.DEVNULL,  # pylint: disable=consider-using-with
                                preexec_fn=lambda: os.close(2))  # pylint: disable=subprocess-popen-preexec-fn
        self.cluster.running["w2"] = node
        self.cluster.wait_for_members("w2")
        self.assertEqual(os.readlink(f"/proc/{node.pid}/fd/2"), "/dev/null")

    def test_a_bad_line_of_a_batch(self):
        lines = ['{"type": "echo", "params": {"n": "1"}}', '{"type": "echo", "parms": {}}', "no json",
                 '{"type": "echo", "params": {"n": "4"}}']
        done = self.cluster.cidbus("submit", "--batch", "-", "--wait", "--output", "ndjson", given="\n".join(lines) + "\n")
        self.assertEqual(done.code, 65, str(done))
        answers = done.lines()
        self.assertEqual([answer.get("code") for answer in answers], [None, 65, 65, None], str(done))
        self.assertEqual([answer["result"]["values"]["n"] for answer in (answers[0], answers[3])], ["1", "4"])
        errors = done.err.splitlines()
        self.assertEqual(len(errors), 2, str(done))
        self.assertIn("line 2: ", errors[0])
        self.assertIn("parms", errors[0])
        self.assertIn("line 3: ", errors[1])
        self.assert_fails(self.cluster.cidbus("submit", "--batch", "/no/such/file"), 65, "/no/such/file")

    def test_a_batch_whose_inputs_take_long_to_add(self):
        path = self.file("small", b"small")
        lines = json.dumps({"type": "hash", "inputs": [str(path)]}) + "\n"
        done = self.cluster.cidbus("submit", "--batch", "-", "--wait", "--output", "quiet", given=lines * 3000, timeout=240)
        self.assertEqual((done.code, done.err, len(done.out.splitlines())), (0, "", 3000), str(done)[:2000])

    def test_an_unknown_task(self):
        self.assert_fails(self.cluster.cidbus("task", "show", "tzzzzz"), 1, "tzzzzz")

    def test_wrong_usage(self):
        for words in (["submit"], ["no-such-command"], ["submit", "echo", "--no-such-option"], ["task", "show", "???"]):
            with self.subTest(words):
                self.assertEqual(self.cluster.cidbus(*words).code, 2)
        for words, says in ((["pin", "--help"], "'pin' is not known here; see 'cidbus --help'"),
                            (["task", "list", "--limit", "0"], "'0' is no number from 1 to 1000000"),
                            (["submit", "echo", "--priority", "high"], "'high' is no whole number"),
                            (["submit", "echo", "--param"], "--param needs a value"), (["task", "show"], "ID is missing")):
            with self.subTest(words):
                self.assert_fails(self.cluster.cidbus(*words), 2, says)

    def test_another_cluster(self):
        self.cluster.name = "another"
        self.assert_fails(self.cluster.cidbus("cluster", "status", "--timeout", "5s"), 77, "another")


class NoBroker(ClusterTest):
    def test_no_broker_ends_with_69_and_names_the_addresses_tried(self):
        cluster = self.new_cluster(workers=0)
        for words in (["cluster", "status"], ["submit", "echo"], ["add", BIN / "cidbus"], ["task", "list"]):
            with self.subTest(words):
                self.assert_fails(cluster.cidbus(*words, "--timeout", "3s"), 69, cluster.broker_address)

    def test_every_address_is_named(self):
        cluster = self.new_cluster(workers=0)
        ports = Ports()
        self.addCleanup(ports.close)
        other = f"127.0.0.1:{ports.base}"
        done = cluster.cidbus("cluster", "status", "--brokers", f"{cluster.broker_address},{other}", "--timeout", "3s")
        self.assert_fails(done, 69, cluster.broker_address, other)


if __name__ == "__main__":
    unittest.main()

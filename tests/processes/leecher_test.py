"""The leecher as its user meets it: content and submissions while nobody else is there, and none twice or lost after."""

import json
import os
import signal
import socket
import subprocess
import threading
import unittest
import urllib.error
import urllib.request

import cids
from cluster import BIN, ClusterTest, Done, wait_until


def fetch(url, headers=None):
    """(status, body) of a GET; an error's answer is an answer too."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers or {}), timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read()


class Leecher(ClusterTest):
    def setUp(self):
        super().setUp()
        self.cluster = self.new_cluster(workers=2, leechers=1)

    # -- what a user does

    def through(self, *arguments, given=""):
        """The command, told to talk to the leecher."""
        return self.cluster.cidbus(*arguments, "--brokers", self.cluster.leecher_address(), given=given)

    def ask(self, *arguments, given=""):
        done = self.through(*arguments, "--output", "json", given=given)
        self.assertEqual(done.code, 0, str(done))
        return done.json()

    def leecher(self, *arguments):
        done = subprocess.run([BIN / "cidbus-leecher", *map(str, arguments)], capture_output=True, text=True, timeout=60,
                              check=False)
        return Done(["cidbus-leecher", *arguments], done.returncode, done.stdout, done.stderr)

    def status(self):
        done = self.leecher("status", "--http", self.cluster.leecher_address("http"), "--output", "json")
        self.assertEqual(done.code, 0, str(done))
        return done.json()

    def url(self, path):
        return f"http://{self.cluster.leecher_address('http')}{path}"

    # -- what happens to it

    def cut_off(self):
        """Kills everybody else."""
        for name in ("b1", "w1", "w2"):
            self.cluster.kill(name)
        wait_until(lambda: not self.status()["online"], "the leecher has noticed")

    def bring_back(self):
        for name in ("b1", "w1", "w2"):
            self.cluster.spawn(name)
        wait_until(lambda: self.status()["online"], "the leecher has found the broker again")

    def answers(self):
        return self.leecher("status", "--http", self.cluster.leecher_address("http")).code == 0

    def start_alone(self):
        """The leecher, while nobody else is there."""
        self.cluster.spawn("l1")
        wait_until(self.answers, "the leecher answers")

    def restart(self):
        self.cluster.kill("l1")
        self.start_alone()

    def folder_of_files(self):
        folder = self.folder / "holiday"
        (folder / "deeper").mkdir(parents=True)
        files = {"notes.txt": b"sun\n" * 10, "large": os.urandom(3_000_000), "deeper/small": b"x"}
        for name, content in files.items():
            (folder / name).write_bytes(content)
        return folder, files

    def add_folder(self, folder):
        done = self.cluster.cidbus("add", folder, "--recursive", "--output", "quiet")
        self.assertEqual(done.code, 0, str(done))
        return done.out.strip()

    # -- reading

    def test_what_was_fetched_through_it_is_served_with_everybody_else_dead_and_itself_restarted(self):
        self.cluster.start()
        folder, files = self.folder_of_files()
        cid = self.add_folder(folder)
        unseen = self.cluster.add(self.file("unseen", os.urandom(1000)))
        self.assertEqual(self.through("get", cid, "-o", self.folder / "online").code, 0)
        self.assertGreater(self.status()["cache"]["bytes"], 3_000_000)

        self.cut_off()
        self.restart()
        for name, content in files.items():
            self.assertEqual(fetch(self.url(f"/ipfs/{cid}/{name}")), (200, content), name)
        self.assertEqual(fetch(self.url(f"/ipfs/{cid}/large"), {"Range": "bytes=1500000-1500099"}),
                         (206, files["large"][1500000:1500100]))
        status, listing = fetch(self.url(f"/ipfs/{cid}/"))
        self.assertEqual(status, 200)
        for name in (b"notes.txt", b"large", b"deeper"):
            self.assertIn(name, listing)
        self.assertEqual(self.through("get", cid, "-o", self.folder / "offline").code, 0)
        for name, content in files.items():
            self.assertEqual((self.folder / "offline" / name).read_bytes(), content, name)
        self.assertIn("notes.txt", self.through("ls", cid).out)

        status, why = fetch(self.url(f"/ipfs/{unseen}"))
        self.assertEqual(status, 503)
        self.assertIn(b"cut off", why)
        self.assert_fails(self.through("cat", unseen), 75, "cut off")
        small = cids.binary_cid(cids.RAW, files["deeper/small"])
        mistyped = cids.text(small[:-1] + bytes([small[-1] ^ 1]))
        self.assert_fails(self.through("cat", mistyped), 1, mistyped, "no node that can be reached", "l1 does not have it")
        self.assertEqual(fetch(self.url("/readyz"))[0], 200)

    def test_its_cache_keeps_within_its_bound_over_a_restart_and_never_lets_go_of_what_is_pinned(self):
        self.cluster.more["l1"] = ["--cache-max", "3000000"]
        self.cluster.start()
        contents = [os.urandom(1_000_000) for _ in range(5)]
        cids = [self.cluster.add(self.file(f"part{number}", content)) for number, content in enumerate(contents)]
        data = self.cluster.data_folder("l1")
        self.assertEqual(self.leecher("pin", "add", cids[0], "--data", data).code, 0)
        self.assertEqual(self.leecher("pin", "ls", "--data", data).out.split(), [cids[0]])
        wait_until(lambda: [pin["whole"] for pin in self.status()["pins"]] == [True], "the pin is whole")
        for cid, content in zip(cids, contents):
            self.assertEqual(fetch(self.url(f"/ipfs/{cid}")), (200, content))
        cache = self.status()["cache"]
        self.assertLessEqual(cache["bytes"], 3_000_000)
        self.assertGreaterEqual(cache["pinned_bytes"], 1_000_000)

        self.cut_off()
        self.cluster.more["l1"] = ["--cache-max", "2000000"]
        self.cluster.stop("l1")
        self.start_alone()
        self.assertLessEqual(self.status()["cache"]["bytes"], 2_000_000)
        self.assertEqual(fetch(self.url(f"/ipfs/{cids[0]}")), (200, contents[0]))
        self.assertEqual(fetch(self.url(f"/ipfs/{cids[1]}"))[0], 503)

        self.assertEqual(self.leecher("pin", "rm", cids[0], "--data", data).code, 0)
        wait_until(lambda: self.status()["cache"]["pinned_bytes"] == 0, "nothing is pinned any more")
        self.assert_fails(self.leecher("pin", "rm", cids[0], "--data", data), 1, "not pinned")
        self.assert_fails(self.leecher("pin", "add", "nonsense", "--data", data), 2, "cannot be pinned")

    def test_pins_by_name_and_tag_follow_what_they_stand_for(self):
        self.cluster.start()
        contents = [os.urandom(400_000) for _ in range(3)]
        paths = [self.file(f"part{number}", content) for number, content in enumerate(contents)]

        def add(number, *arguments):
            done = self.cluster.cidbus("add", paths[number], *arguments, "--output", "quiet")
            self.assertEqual(done.code, 0, str(done))
            return done.out.strip()

        cids = [add(0, "--name", "holiday"), add(1, "--name", "other", "--tag", "year=2026")]
        data = self.cluster.data_folder("l1")
        self.assertEqual(self.leecher("pin", "add", "name:holiday", "tag:year=2026", "--data", data).code, 0)

        def pinned():
            return {pin["pin"]: pin["cids"] for pin in self.status()["pins"] if pin["whole"]}

        wait_until(lambda: pinned() == {"name:holiday": [cids[0]], "tag:year=2026": [cids[1]]}, "both are pinned")
        cids.append(add(2, "--name", "holiday"))
        wait_until(lambda: pinned().get("name:holiday") == [cids[2]], "the pin follows its name")
        self.assertIn("holiday", self.through("find").out)
        self.cut_off()
        self.restart()
        self.assertEqual(pinned(), {"name:holiday": [cids[2]], "tag:year=2026": [cids[1]]})
        self.assertEqual(fetch(self.url(f"/ipfs/{cids[2]}")), (200, contents[2]))
        self.assertEqual(fetch(self.url(f"/ipfs/{cids[1]}")), (200, contents[1]))
        self.assert_fails(self.through("find"), 75, "cut off")

    # -- submitting

    def test_online_it_hands_in_directly_and_refusals_come_at_once(self):
        self.cluster.start()
        self.assertEqual(self.ask("submit", "echo", "--param", "n=1", "--wait")["result"]["values"], {"n": "1"})
        task = self.through("submit", "echo", "--param", "n=2", "--output", "quiet").out.strip()
        self.assertTrue(task.startswith("t"), task)
        self.assertEqual(self.ask("task", "wait", task)["state"], "completed")
        self.assertEqual(self.cluster.ask("task", "show", task)["state"], "completed")
        refused = self.through("submit", "nonsense")
        self.assertEqual(refused.code, 2, str(refused))
        path = self.file("added", os.urandom(600_000))
        cid = self.through("add", path, "--output", "quiet").out.strip()
        self.assertEqual(self.status()["added"]["blocks"], 0)
        self.assertEqual(self.cluster.cidbus("get", cid, "-o", self.folder / "back").code, 0)
        self.assertEqual(self.ask("cluster", "leader")["leader"], "b1")

    def test_what_is_submitted_and_added_while_cut_off_arrives_once_and_in_order(self):
        self.cluster.start()
        self.cut_off()
        content = os.urandom(700_000)
        path = self.file("input", content)
        cid = self.through("add", path, "--output", "quiet").out.strip()
        names = [self.through("submit", "hash", "--input", cid, "--output", "quiet").out.strip()]
        for number in range(10):
            done = self.through("submit", "echo", "--param", f"n={number}", "--output", "quiet")
            self.assertEqual(done.code, 0, str(done))
            names.append(done.out.strip())
        self.assertEqual(names, [f"o{number}" for number in "123456789ab"])
        waiting = self.cluster.start_cidbus("submit", "echo", "--param", "n=last", "--wait", "--output", "json",
                                            "--brokers", self.cluster.leecher_address())
        wait_until(lambda: self.status()["outbox"]["waiting"] == 12, "all are in the outbox")
        self.assertEqual(self.ask("task", "show", "o1")["state"], "pending")
        self.assert_fails(self.through("task", "show", "t5"), 75, "cut off")
        cancelled = self.through("submit", "echo", "--output", "quiet").out.strip()
        self.assertEqual(self.through("task", "cancel", cancelled).code, 0)
        late = self.through("submit", "nonsense", "--output", "quiet").out.strip()

        self.bring_back()
        out, err = waiting.communicate(timeout=60)
        self.assertEqual(waiting.returncode, 0, err)
        self.assertEqual(json.loads(out)["result"]["values"], {"n": "last"})
        wait_until(lambda: self.status()["outbox"]["waiting"] == 0, "all are handed in")
        self.assertEqual(self.status()["added"]["blocks"], 0)
        items = {item["id"]: item for item in self.status()["outbox"]["items"]}
        self.assertEqual(items[cancelled]["state"], "cancelled")
        self.assertEqual(items[late]["state"], "refused")
        counts = self.status()["outbox"]
        self.assertEqual((counts["handed_in"], counts["refused"], counts["cancelled"]), (12, 1, 1))
        self.assertIn("nonsense", items[late]["error"])
        self.assertEqual(self.through("task", "wait", late).code, 1)

        first = self.ask("task", "wait", "o1")
        self.assertEqual((first["id"], first["state"], first["inputs"]), ("o1", "completed", [cid]))
        tasks = self.cluster.ask("task", "list", "--type", "echo", "--limit", "100")
        self.assertEqual([task["id"] for task in reversed(tasks)],
                         [items[name]["task"] for name in names[1:]] + [items["oc"]["task"]])
        self.assertEqual(self.cluster.cidbus("get", cid, "-o", self.folder / "back").code, 0)
        self.assertEqual((self.folder / "back").read_bytes(), content)

    def test_killed_over_and_over_it_loses_nothing_it_acknowledged_and_hands_in_nothing_twice(self):
        self.cluster.start()
        acknowledged = []
        for round_ in range(8):
            if round_ % 2 == 0:
                self.cut_off()
            lines = "".join(json.dumps({"type": "echo", "params": {"n": f"{round_}.{number}"}}) + "\n"
                            for number in range(40))
            batch = self.cluster.start_cidbus("submit", "--batch", "-", "--output", "ndjson", "--timeout", "20s",
                                              "--brokers", self.cluster.leecher_address())
            batch.stdin.write(lines)
            batch.stdin.close()
            self.cluster.kill("l1")
            self.cluster.spawn("l1")
            wait_until(self.answers, "the leecher answers again")
            out = batch.stdout.read()
            batch.wait(60)
            batch.stderr.close()
            batch.stdout.close()
            answers = [json.loads(line) for line in out.splitlines()]  # in the order of the lines
            acknowledged += [f"{round_}.{number}" for number, answer in enumerate(answers) if answer["id"]]
            if round_ % 2 == 1:
                self.bring_back()
                self.cluster.kill("l1")  # in the midst of handing in
                self.cluster.spawn("l1")
                wait_until(self.answers, "the leecher answers again")
        wait_until(lambda: self.status()["online"] and self.status()["outbox"]["waiting"] == 0, "all are handed in")
        wait_until(lambda: not self.cluster.ask("task", "list", "--state", "pending"), "all have run")
        done = self.cluster.ask("task", "list", "--type", "echo", "--state", "completed", "--limit", "4000")
        recorded = [task["result"]["values"]["n"] for task in done]
        self.assertEqual(len(recorded), len(set(recorded)), "a submission was handed in twice")
        self.assertGreater(len(acknowledged), 100)
        self.assertLessEqual(set(acknowledged), set(recorded))

    # -- what it refuses

    def test_a_damaged_outbox_or_store_of_what_was_added_is_left_as_it_is_and_said(self):
        self.start_alone()
        for number in range(3):
            self.assertEqual(self.through("submit", "echo", "--param", f"n={number}").code, 0)
        self.assert_fails(self.through("task", "wait", "o1", "--timeout", "1s"), 124, "leecher's outbox", "broker")
        doctor = self.through("doctor", "--output", "json")
        self.assertEqual(doctor.code, 75, str(doctor))
        self.assertNotIn("no broker of this cluster", doctor.out)
        self.cluster.kill("l1")
        data = self.cluster.data_folder("l1")
        whole = (data / "outbox").read_bytes()
        middle = len(whole) // 2
        damaged = whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1:]
        seal = 18  # behind the last entry, which therefore cannot be lost in silence either
        flipped = whole[:-seal - 1] + bytes([whole[-seal - 1] ^ 1]) + whole[-seal:]
        for content in (damaged, flipped, b"", b"rubbish" * 100):
            (data / "outbox").write_bytes(content)
            self.assertEqual(self.cluster.spawn("l1").wait(20), 65)
            self.assertIn("the outbox in", self.cluster.log("l1").splitlines()[-1])
            self.assertIn("is damaged; move its file", self.cluster.log("l1").splitlines()[-1])
            self.assertEqual((data / "outbox").read_bytes(), content)
        (data / "outbox").write_bytes(whole[:-seal - 2])
        self.start_alone()
        self.assertEqual(self.status()["outbox"]["waiting"], 2)
        self.assertIn("not whole", self.cluster.log("l1"))
        self.cluster.kill("l1")
        (data / "added/CURRENT").write_bytes(b"rubbish")
        self.assertEqual(self.cluster.spawn("l1").wait(20), 65)
        self.assertIn("not yet with the workers", self.cluster.log("l1").splitlines()[-1])

    def test_what_is_added_while_cut_off_has_a_bound(self):
        self.cluster.more["l1"] = ["--outbox-max", "2000000"]
        self.cluster.start()
        self.cut_off()
        cid = self.through("add", self.file("fits", os.urandom(1_500_000)), "--output", "quiet").out.strip()
        self.assert_fails(self.through("add", self.file("too much", os.urandom(1_500_000)), "--timeout", "20s"), 75,
                          "no room", "--outbox-max")
        self.bring_back()
        wait_until(lambda: self.status()["added"]["blocks"] == 0, "what was added is with the workers")
        self.assertEqual(self.cluster.ask("stat", cid)["size"], 1_500_000)
        done = self.through("add", self.file("later", os.urandom(1_500_000)))
        self.assertEqual(done.code, 0, f"there is room again: {done}")

    @staticmethod
    def answer_not_found(listening):
        with listening.accept()[0] as asking:
            asking.recv(4096)
            asking.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    def test_bad_usage_is_told_in_a_line(self):
        common = ["--name", "l9", "--data", self.folder / "l9"]
        self.assert_fails(self.leecher(*common, "--http", "0.0.0.0:8090"), 2, "--http", "127.0.0.1")
        self.assert_fails(self.leecher("--name", "l9"), 2, "--data")
        self.assert_fails(self.leecher("status", "--http", self.cluster.leecher_address("http")), 69, "no leecher")
        self.assert_fails(self.leecher("status", "--http", "rubbish"), 2, "'rubbish' is no address")
        with socket.create_server(("127.0.0.1", 0)) as other:
            threading.Thread(target=self.answer_not_found, args=(other,), daemon=True).start()
            address = f"127.0.0.1:{other.getsockname()[1]}"
            self.assert_fails(self.leecher("status", "--http", address), 69, "does not answer as a leecher does")
        self.assert_fails(self.leecher("pin", "add", "--data", self.folder), 2, "needs a CID")
        self.start_alone()
        second = self.leecher("--name", "l2", "--data", self.cluster.data_folder("l1"), "--http", "127.0.0.1:0")
        self.assert_fails(second, 75, "another process")
        self.assertEqual(self.cluster.kill("l1", signal.SIGTERM), 0)


if __name__ == "__main__":
    unittest.main()

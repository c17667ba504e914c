"""An observer that comes late is told how things stand, and then what happens, in every form of output."""

import json
import subprocess
import unittest
import urllib.request

from cluster import BIN, PATIENCE_SECONDS, ClusterTest, die_with_the_test, wait_until


def events_in(path):
    """What an observer has printed, but for a line that it is at."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").rpartition("\n")[0].splitlines()]


class Attached(ClusterTest):
    cluster = None

    def attach(self, output, *more):
        """An observer with this form of output; gives the file it prints to."""
        path = self.folder / f"{output}.txt"
        with open(path, "wb") as out:
            # pylint: disable=consider-using-with,subprocess-popen-preexec-fn
            process = subprocess.Popen([BIN / "cidbus-observer", "--name", "late", "--cluster", self.cluster.name, "--brokers",
                                        self.cluster.broker_address, "--output", output, *more],
                                       stdin=subprocess.DEVNULL, stdout=out, preexec_fn=die_with_the_test)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        return path


class LateObserver(Attached):
    def setUp(self):
        super().setUp()
        self.cluster = self.start_cluster(workers=2, observers=1)  # one hears of tasks before the late one comes
        for number in range(3):
            self.cluster.ask("submit", "echo", "--param", f"n={number}", "--wait")
        self.cluster.cidbus("submit", "echo", "--delay", "1h")
        self.cluster.add(self.file("content", b"content"))
        wait_until(lambda: [self.cluster.members().get(name, {}).get("blocks") for name in ("w1", "w2")] == [1, 1],
                   "both have told that they hold the block")

    def test_the_past_comes_first_and_then_what_happens(self):
        path = self.attach("ndjson")

        def events():
            return events_in(path)
        first = wait_until(events, "it prints something")[0]
        self.assertEqual((first["event"], first["cluster"], first["leader"]), ("snapshot", self.cluster.name, "b1"))
        self.assertEqual((first["tasks"]["completed"], first["tasks"]["pending"]), (3, 1))
        self.assertEqual(first["blocks_indexed"], 1)
        members = {member["name"]: member for member in first["members"]}
        self.assertLessEqual({"b1", "w1", "w2"}, set(members))
        self.assertEqual({members[name]["slots"] for name in ("w1", "w2")}, {2})

        def snapshots():
            return sum(event["event"] == "snapshot" for event in events())
        wait_until(lambda: [event for event in events() if event["event"] == "counters"], "it hears the feed")
        before = snapshots()
        task = self.cluster.ask("submit", "echo", "--wait")["id"]
        wait_until(lambda: [event for event in events() if event["event"] == "task" and event["id"] == task
                            and event["state"] == "completed"], "it tells of the new task")
        told = {event["id"] for event in events() if event["event"] == "task"}
        self.assertEqual(told, {task}, "what the snapshot holds is not told again")
        self.assertEqual(snapshots(), before, "nothing was missed")
        self.cluster.kill("w1")
        wait_until(lambda: [event for event in events() if event["event"] == "member" and event["name"] == "w1"
                            and event["state"] != "alive"], "it tells of the worker that is gone")

    def test_sentences_for_a_person(self):
        path = self.attach("table")

        def lines():
            return path.read_text(encoding="utf-8").splitlines()
        wait_until(lambda: len(lines()) > 3, "it prints how things stand")
        self.assertRegex(lines()[0], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z  cluster test, leader b1: 1 pending, 3 completed$")
        self.assertTrue([line for line in lines() if line.endswith("  worker w1 alive, 0 of 2 slots busy, 1 blocks")], lines())
        task = self.cluster.ask("submit", "echo", "--wait")["id"]
        wait_until(lambda: [line for line in lines() if f"  task {task} echo completed on w" in line], "it tells of the task")
        self.assertFalse([line for line in lines() if "heartbeat" in line])
        heard = [event["event"] for event in events_in(self.cluster.folder / "o1.log")].count("leader")
        wait_until(lambda: [event["event"] for event in events_in(self.cluster.folder / "o1.log")].count("leader") > heard + 2,
                   "the leader says several times that it leads")
        self.assertEqual(len([line for line in lines() if "  leader b1 at " in line]), 1, lines())

    def test_names_alone(self):
        path = self.attach("quiet")
        wait_until(lambda: {"b1", "w1", "w2"} <= set(path.read_text(encoding="utf-8").split()), "the members are named")
        task = self.cluster.ask("submit", "echo", "--wait")["id"]
        wait_until(lambda: task in path.read_text(encoding="utf-8").splitlines(), "the task is named")


class WhoDoesNotAnswer(ClusterTest):
    def test_nodes_say_so_and_say_when_a_broker_does(self):
        cluster = self.new_cluster(workers=1, gateways=1, observers=1, leechers=1)
        nodes = ("w1", "g1", "o1", "l1")
        for name in nodes:
            cluster.spawn(name)
        silence = f"no broker answers at {cluster.broker_address} since "
        for name in nodes:
            wait_until(lambda name=name: silence in cluster.log(name), f"{name} says that nobody answers")
        cluster.spawn("b1")
        for name in nodes:
            wait_until(lambda name=name: "a broker answers again, which none did since" in cluster.log(name), f"{name} says that one does")


class WhoReadsIt(ClusterTest):
    """What an observer prints goes nowhere any longer: it ends."""

    def setUp(self):
        super().setUp()
        self.cluster = self.start_cluster(workers=0)

    def read_a_line(self, *words):
        """Reads a line of what the program prints and no more; gives its exit code and standard error."""
        # pylint: disable=consider-using-with,subprocess-popen-preexec-fn
        process = subprocess.Popen([*words, "--cluster", self.cluster.name, "--brokers", self.cluster.broker_address],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   preexec_fn=die_with_the_test)
        self.addCleanup(process.kill)
        process.stdout.readline()
        process.stdout.close()
        with process.stderr:
            code = process.wait(PATIENCE_SECONDS)
            return code, process.stderr.read()

    def test_a_reader_that_has_gone_ends_it_without_a_word(self):
        observer = [BIN / "cidbus-observer", "--name", "late"]
        for words in ([*observer, "--output", "ndjson"], [*observer, "--plain"], [BIN / "cidbus", "top"],
                      [BIN / "cidbus", "cluster", "members", "--watch"]):
            with self.subTest(words=words):
                self.assertEqual(self.read_a_line(*words), (141, ""))

    def test_a_full_disk_ends_it_with_one_line(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([BIN / "cidbus-observer", "--name", "late", "--plain", "--cluster", self.cluster.name, "--brokers",
                                   self.cluster.broker_address], stdout=full, stderr=subprocess.PIPE, text=True,
                                  timeout=PATIENCE_SECONDS, check=False)
        self.assertEqual(done.returncode, 75, done.stderr)
        self.assertRegex(done.stderr, r"^cidbus-observer: cannot write to standard output: No space left on device[^\n]*\n$")


class WithoutALeader(Attached):
    """Two of three brokers are dead before the observer starts: it is told what the third one knows, and that it is not all."""

    def test_the_survivor_tells_how_things_stand_and_the_observer_goes_on_when_the_others_are_back(self):
        self.cluster = cluster = self.start_cluster(brokers=3, workers=2, gateways=1)
        for number in range(3):
            cluster.ask("submit", "echo", "--param", f"n={number}", "--wait")
        cluster.ask("submit", "echo", "--delay", "1h")
        everything = cluster.ask("cluster", "status")["brokers"][0]["commit"]
        wait_until(lambda: self.position("b3") >= everything, "b3 has applied all of it")
        for name in ("b1", "b2"):
            cluster.kill(name)
        port = cluster.ports.base + 39
        path = self.attach("ndjson", "--page", f"127.0.0.1:{port}")

        def state():
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/state.json", timeout=5) as answer:
                    return json.load(answer)["tables"]
            except OSError:
                return {}

        def named():
            return {name: row["state"] for name, row in state().get("nodes", {}).items()}
        wait_until(lambda: {name: "alive" for name in ("b3", "g1", "w1", "w2")}.items() <= named().items(),
                   "it shows those that the survivor hears")
        first = next(event for event in events_in(path) if event["event"] == "snapshot")
        self.assertEqual((first["leader"], first["told_by"], first["blocks_indexed"]), ("", "b3", None))
        self.assertEqual((first["tasks"]["completed"], first["tasks"]["pending"]), (3, 1))
        wait_until(lambda: state()["now"]["health"]["status"] == "critical", "a cluster without a leader is critical")
        shown = state()["now"]
        self.assertFalse(shown["cluster"]["bound"])
        self.assertIn("nobody is in office", " ".join(shown["health"]["reasons"]))

        cluster.start("b1", "b2")
        task = cluster.ask("submit", "echo", "--wait")["id"]
        wait_until(lambda: [event for event in events_in(path) if event["event"] == "task" and event["id"] == task
                            and event["state"] == "completed"], "it tells of a task of the next leader")
        events = events_in(path)
        self.assertEqual([event for event in events if event["event"] == "gap"], [])
        told = [event["id"] for event in events if event["event"] == "task"]
        self.assertEqual(set(told), {task}, "what the snapshots hold is not told again")
        self.assertEqual(len(told), len({(event["id"], event["state"]) for event in events if event["event"] == "task"}))
        last = wait_until(lambda: [event for event in events_in(path) if event["event"] == "snapshot" and event["told_by"] == event["leader"]],
                          "the new leader tells how things stand")[-1]
        self.assertGreaterEqual(last["applied"], first["applied"])
        wait_until(lambda: state()["now"]["cluster"]["bound"] and state()["now"]["tasks"]["completed"] == 4,
                   "the page shows the new leader's count")

    def position(self, name):
        """How far the broker has applied the journal, by its own word."""
        brokers = self.cluster.ask("cluster", "status")["brokers"]
        return next(broker["applied"] for broker in brokers if broker["name"] == name) or 0


if __name__ == "__main__":
    unittest.main()

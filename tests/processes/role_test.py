#!/usr/bin/env python3
"""Roles: which one a machine can carry, from what is measured, in a container too; nodes that host any of them."""

import os
import signal
import subprocess
import unittest
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cluster import BIN, PATIENCE_SECONDS, Cluster, ClusterTest, wait_until

CGROUPS = Path("/sys/fs/cgroup")


class ControlGroup:
    """A control group of this test's own, of version 1 or 2; None from make() where none may be made."""

    def __init__(self, folder, limit_file):
        self.folder = folder
        self.limit_file = limit_file

    @classmethod
    def make(cls, memory_bytes):
        name = f"cidbus-test-{os.getpid()}"
        unified = not (CGROUPS / "memory").is_dir()
        folder = (CGROUPS if unified else CGROUPS / "memory") / name
        try:
            folder.mkdir()
            group = cls(folder, folder / ("memory.max" if unified else "memory.limit_in_bytes"))
            group.limit(memory_bytes)
            return group
        except OSError:
            if folder.is_dir():
                folder.rmdir()
            return None

    def limit(self, memory_bytes):
        self.limit_file.write_text(str(memory_bytes), "ascii")

    def entering(self):
        """What a command begins with that is to run in here."""
        return ["sh", "-c", f'echo $$ > {self.folder}/cgroup.procs && exec "$@"', "sh"]

    def run(self, *command):
        return subprocess.run([*self.entering(), *map(str, command)], capture_output=True, text=True, check=False, timeout=60)

    def is_removed(self):
        try:
            self.folder.rmdir()
        except OSError:  # busy for a moment after its last process
            pass
        return not self.folder.is_dir()

    def close(self):
        wait_until(self.is_removed, f"{self.folder} is empty")


class Detection(ClusterTest):
    def detect(self, *arguments, config="", runner=None):
        file = self.folder / "cidbus.toml"
        file.write_text(config, encoding="utf-8")
        run = runner or (lambda *words: subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False,
                                                       timeout=60))
        return run(BIN / "cidbus", "role", "detect", "--config", file, "--data", self.folder, *arguments)

    @staticmethod
    def minimums(memory_mb, disk_gb=0):
        return "".join(f"[role.{role}]\nminimum-memory-mb = {memory_mb}\nminimum-disk-gb = {disk_gb}\n"
                       for role in ("master", "worker", "leecher", "gateway", "observer"))

    def test_the_highest_role_that_is_possible_is_chosen_and_master_only_when_wanted(self):
        done = self.detect("--output", "quiet", config=self.minimums(1))
        self.assertEqual((done.returncode, done.stdout), (0, "worker\n"), done.stderr)
        done = self.detect("--output", "quiet", "--broker-wanted", config=self.minimums(1))
        self.assertEqual((done.returncode, done.stdout), (0, "master\n"), done.stderr)

    def test_what_a_role_lacks_is_named(self):
        too_much = 1 << 29
        done = self.detect(config=f"[role.worker]\nminimum-memory-mb = {too_much}\n"
                                  "[role.leecher]\nminimum-memory-mb = 1\nminimum-disk-gb = 0\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        last = done.stdout.splitlines()[-1]
        self.assertRegex(last, rf"^leecher: the highest it can carry; no worker with memory \d+ of {too_much} MB")

    def test_a_machine_that_can_carry_nothing_is_told_so(self):
        done = self.detect("--output", "json", config=self.minimums(1 << 29))
        self.assertEqual(done.returncode, 1)
        self.assertIn('"role":null', done.stdout)
        self.assertRegex(done.stderr, r"^cidbus: this machine can carry no role: no worker with memory \d+ of")

    def test_in_a_container_its_share_is_measured_and_not_the_hosts(self):
        group = ControlGroup.make(700 << 20)
        if group is None:
            self.skipTest("no control group may be made here")
        self.addCleanup(group.close)
        disk = "minimum-disk-gb = 0\n"
        config = f"[role.worker]\n{disk}[role.leecher]\n{disk}"
        done = self.detect(config=config, runner=group.run)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("700.0 MiB (the share of a control group)", done.stdout)
        self.assertRegex(done.stdout, r"\nleecher: .* no worker with memory \d+ of 1024 MB")


class NodeCluster(Cluster):
    """A cluster whose n1, n2.. are cidbus-nodes, each with a line that fits every role."""

    roles = {}   # name -> what --role says
    groups = {}  # name -> the control group it runs in

    def command(self, name):
        if name[0] != "n":
            return super().command(name)
        number = int(name[1:])
        return [BIN / "cidbus-node", "--role", self.roles[name], "--name", name, "--cluster", self.name,
                "--brokers", self.broker_address, "--data", self.data_folder(name), *self.key_flags(name),
                "--slots", str(self.slots), "--exchange", self.exchange_address(name),
                "--http", f"127.0.0.1:{self.ports.base + 20 + number}",
                "--listen", f"127.0.0.1:{self.ports.base + 10 + number}"]

    def prefix(self, name):
        return self.groups[name].entering() if name in self.groups else []

    def add_node(self, name, role):
        self.roles = {**self.roles, name: role}
        self.names.append(name)
        if self.keys:
            self.make_key(name, "master,worker,leecher,gateway,observer")
            self.allow()
        return name


class NodeTest(ClusterTest):
    def start_nodes(self, roles, **options):
        """A broker, and nodes n1.. in the roles given."""
        folder = self.folder / f"c{len(self.clusters)}"
        folder.mkdir()
        cluster = NodeCluster(folder, workers=0, **options)
        cluster.groups = {}
        self.clusters.append(cluster)
        for number, role in enumerate(roles, 1):
            cluster.add_node(f"n{number}", role)
        return cluster.start()


class Hosting(NodeTest):
    def test_any_role_is_hosted_and_the_same_line_fits_each(self):
        cluster = self.start_nodes(["worker", "gateway", "observer", "leecher"])
        roles = {name: member["role"] for name, member in cluster.members().items() if name[0] == "n"}
        self.assertEqual(roles, {"n1": "worker", "n2": "gateway", "n3": "observer", "n4": "leecher"})
        self.assertEqual(cluster.members()["n1"]["slots"], cluster.slots)
        task = cluster.ask("submit", "echo", "--param", "a=b", "--wait")
        self.assertEqual((task["state"], task["worker"]), ("completed", "n1"))
        file = self.folder / "text"
        file.write_text("hello", encoding="utf-8")
        cid = cluster.add(file)
        url = f"http://127.0.0.1:{cluster.ports.base + 22}/ipfs/{cid}"
        with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS) as answer:
            self.assertEqual(answer.read(), b"hello")
        for name in ("n4", "n3", "n2", "n1"):
            self.assertEqual(cluster.stop(name), 0, cluster.log(name))

    def test_auto_takes_the_role_that_fits_and_a_node_keeps_its_name_and_blocks(self):
        cluster = self.start_nodes([])
        cluster.add_node("n1", "auto")
        config = self.folder / "cidbus.toml"
        config.write_text("[role.worker]\nminimum-memory-mb = 1\nminimum-disk-gb = 0\n"
                          "[worker]\nstorage-max = \"1GB\"\n", encoding="utf-8")
        cluster.more["n1"] = ["--config", config]
        cluster.start("n1")
        member = cluster.members()["n1"]
        self.assertEqual(member["role"], "worker")
        self.assertLessEqual(member["disk_free_bytes"], 1_000_000_000, "the file speaks to the role as well")
        cid = cluster.add(__file__)
        self.assertEqual(cluster.stop("n1"), 0)
        other = subprocess.run([BIN / "cidbus-node", "--role", "worker", "--name", "n9", "--data", cluster.data_folder("n1")],
                               capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)
        self.assertEqual(other.returncode, 2)
        self.assertIn("is that of node 'n1'", other.stderr)
        cluster.start("n1")
        self.assertEqual(cluster.cidbus("cat", cid).out, Path(__file__).read_text(encoding="utf-8"))

    def test_a_machine_that_can_carry_nothing_is_told_so(self):
        config = self.folder / "cidbus.toml"
        config.write_text(Detection.minimums(1 << 29), encoding="utf-8")
        done = subprocess.run([BIN / "cidbus-node", "--data", self.folder / "n", "--config", config], capture_output=True,
                              text=True, check=False, timeout=PATIENCE_SECONDS)
        self.assertEqual(done.returncode, 1)
        self.assertIn("this machine can carry no role: no worker with memory", done.stderr)

    def test_a_node_that_is_refused_for_its_keys_leaves_no_folder(self):
        for words in (["--brokers", "192.0.2.1:9096"], ["--key-file", self.folder / "nope.key"]):
            done = subprocess.run([BIN / "cidbus-node", "--role", "worker", "--data", self.folder / "n", *words], capture_output=True,
                                  text=True, check=False, timeout=PATIENCE_SECONDS)
            self.assertIn(done.returncode, (65, 77), done.stderr)
            self.assertFalse((self.folder / "n").exists(), done.stderr)

    def test_with_keys_a_node_speaks_in_its_role_under_its_own_key(self):
        cluster = self.start_nodes(["worker"], keys=True)
        self.assertEqual(cluster.ask("submit", "echo", "--wait")["worker"], "n1")


class Switching(NodeTest):
    config = "".join(f"[role.{role}]\nminimum-memory-mb = {memory}\nminimum-disk-gb = 0\n"
                     "check-every-s = 1\ncool-down-s = 1\nstability = 0.1\n"
                     for role, memory in (("worker", 500), ("leecher", 50)))

    def wait_for_role(self, cluster, name, role):
        def has_it():
            self.assertTrue(cluster.runs(name), cluster.log(name))
            return cluster.members().get(name, {}).get("role") == role
        wait_until(has_it, f"{name} is a {role}")

    def test_a_node_follows_what_its_container_gives_and_takes_nothing_with_it(self):
        group = ControlGroup.make(800 << 20)
        if group is None:
            self.skipTest("no control group may be made here")
        self.addCleanup(group.close)
        cluster = self.start_nodes([])
        self.addCleanup(cluster.close)  # before the group, which must be empty then
        cluster.groups["n1"] = group
        cluster.add_node("n1", "auto")
        config = self.folder / "cidbus.toml"
        config.write_text(self.config, encoding="utf-8")
        cluster.more["n1"] = ["--config", config]
        cluster.start("n1")
        self.assertEqual(cluster.members()["n1"]["role"], "worker")
        cid = cluster.add(__file__)  # on the only node that stores blocks

        group.limit(300 << 20)
        wait_until(lambda: "stays a worker: 'n1' is the last worker" in cluster.log("n1"), "the last worker stays")
        self.assertEqual(cluster.ask("submit", "echo", "--wait")["worker"], "n1")
        cluster.names.append("w2")
        cluster.start("w2")
        self.wait_for_role(cluster, "n1", "leecher")
        self.assertIn("it has had too little for a worker for long: memory", cluster.log("n1"))

        group.limit(800 << 20)
        self.wait_for_role(cluster, "n1", "worker")
        self.assertEqual(cluster.stop("n1"), 0, cluster.log("n1"))
        self.assertEqual(cluster.cidbus("cat", cid).out, Path(__file__).read_text(encoding="utf-8"))


class Changing(NodeTest):
    """Roles that are shown and changed from afar."""

    def start_node(self, role, config=Detection.minimums(1)):
        cluster = self.start_nodes([])
        file = self.folder / "cidbus.toml"
        file.write_text(config, encoding="utf-8")
        cluster.add_node("n1", role)
        cluster.more["n1"] = ["--config", file]
        return cluster.start("n1")

    @staticmethod
    def start_worker(cluster, name="w2"):
        cluster.names.append(name)
        cluster.start(name)

    def test_a_node_changes_its_role_when_told_takes_nothing_with_it_and_keeps_the_role(self):
        cluster = self.start_node("worker")
        cid = cluster.add(__file__)  # on the only node that stores blocks
        self.assert_fails(cluster.cidbus("role", "set", "n1", "gateway"), 77, "'n1' is the last worker")
        self.start_worker(cluster)
        self.assert_fails(cluster.cidbus("role", "set", "w2", "gateway"), 77, "'w2' is run by a program that is a worker")
        self.assert_fails(cluster.cidbus("role", "set", "w9", "gateway"), 2, "there is no node 'w9'")
        self.assert_fails(cluster.cidbus("role", "set", "n1", "master"), 77, "fixed by --group")

        done = cluster.cidbus("role", "set", "n1", "gateway")
        self.assertEqual((done.code, done.out), (0, "n1 is a gateway now\n"), done)
        url = f"http://127.0.0.1:{cluster.ports.base + 21}/ipfs/{cid}"
        with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS) as answer:
            self.assertEqual(answer.read(), Path(__file__).read_bytes())
        moves = cluster.ask("role", "history", "n1")
        self.assertEqual([(move["what"], move["from"], move["to"]) for move in moves], [("role", "worker", "gateway")])
        self.assertEqual(moves[0]["reason"], "a person said so")

        self.assertEqual(cluster.stop("n1"), 0, cluster.log("n1"))
        cluster.start("n1")
        wait_until(lambda: cluster.ask("role", "show", "n1")["changes"] == "when told", "its agent is there")
        self.assertEqual(cluster.ask("role", "show", "n1")["role"], "gateway")
        self.assertEqual(cluster.ask("role", "set", "n1", "worker")["outcome"], "done")
        self.assertEqual(cluster.members()["n1"]["role"], "worker")
        self.assertEqual(len(cluster.ask("role", "history", "n1")), 2)

    def test_two_nodes_that_hold_the_same_leave_at_once_and_of_the_last_workers_one_stays(self):
        cluster = self.start_node("worker")
        cluster.add_node("n2", "worker")
        cluster.more["n2"] = cluster.more["n1"]
        cluster.start("n2")

        def agents():
            return {node["name"] for node in cluster.ask("role", "show") if node["roles"]} >= {"n1", "n2"}
        wait_until(agents, "their agents are there")
        cid = cluster.add(__file__)  # on both
        both = ("n1", "n2")
        with ThreadPoolExecutor() as pool:
            done = list(pool.map(lambda name: cluster.cidbus("role", "set", name, "gateway"), both))
        self.assertEqual(sorted(one.code for one in done), [0, 77], done)
        gone = both[[one.code for one in done].index(0)]
        self.assertEqual(cluster.cidbus("cat", cid).out, Path(__file__).read_text(encoding="utf-8"))
        self.assertEqual(cluster.ask("role", "set", gone, "worker")["outcome"], "done")

        self.start_worker(cluster, "w3")
        with ThreadPoolExecutor() as pool:
            done = list(pool.map(lambda name: cluster.cidbus("role", "set", name, "gateway"), both))
        self.assertEqual([one.code for one in done], [0, 0], done)
        wait_until(lambda: cluster.members()["w3"]["blocks"] == 1, "each saw that the other one's copy would go")
        self.assertEqual(cluster.cidbus("cat", cid).out, Path(__file__).read_text(encoding="utf-8"))

    def test_what_a_machine_cannot_carry_is_refused_with_the_factor_and_shown(self):
        minimums = Detection.minimums(1)
        self.assertIn(leecher := "[role.leecher]\nminimum-memory-mb = 1\n", minimums)
        cluster = self.start_node("worker", minimums.replace(leecher, leecher.replace("1", str(1 << 29))))
        self.start_worker(cluster)

        def chances():
            return {chance["role"]: chance for chance in cluster.ask("role", "show", "n1")["roles"]}
        wait_until(chances, "its agent is there")
        self.assertEqual((chances()["leecher"]["possible"], chances()["gateway"]["possible"]), (False, True))
        self.assert_fails(cluster.cidbus("role", "set", "n1", "leecher", "--force"), 77, "cannot carry a leecher: memory")
        shown = {node["name"]: node for node in cluster.ask("role", "show")}
        self.assertEqual({name: (node["role"], node["changes"]) for name, node in shown.items()},
                         {"b1": ("master", "never"), "n1": ("worker", "when told"), "w2": ("worker", "never")})
        self.assertIn({"what": "slots", "now": str(cluster.slots), "given": str(cluster.slots)}, shown["w2"]["moved"])

    def test_a_role_is_changed_by_vote_by_a_node_that_comes_back_too(self):
        cluster = self.start_node("worker")
        self.start_worker(cluster)
        wait_until(lambda: cluster.ask("role", "show", "n1")["roles"], "its agent is there")
        voted = cluster.ask("role", "propose", "n1", "leecher", "--wait")
        self.assertEqual((voted["type"], voted["value"], voted["status"]), ("role_change", "leecher", "accepted"))
        wait_until(lambda: cluster.members().get("n1", {}).get("role") == "leecher", "it is a leecher")
        self.assertEqual(cluster.ask("role", "history", "n1")[-1]["reason"], f"proposal {voted['id']} was accepted")

    def test_forced_the_last_worker_goes_and_what_only_it_has_comes_back_with_it(self):
        cluster = self.start_node("worker")
        cid = cluster.add(__file__)
        wait_until(lambda: cluster.ask("role", "show", "n1")["roles"], "its agent is there")
        done = cluster.cidbus("role", "set", "n1", "gateway", "--force")
        self.assertEqual(done.code, 0, done)
        self.assertIn("n1 is a gateway now; left behind what only it had: no other node stores blocks", done.out)
        self.assertEqual(cluster.ask("role", "set", "n1", "worker")["outcome"], "done")
        self.assertEqual(cluster.cidbus("cat", cid).out, Path(__file__).read_text(encoding="utf-8"))


class Adaptation(NodeTest):
    @staticmethod
    def moves(cluster, node, what):
        """What the node's record says of that number: (from, to, why), oldest first."""
        return [(move["from"], move["to"], move["reason"]) for move in cluster.ask("role", "history", node)
                if move["what"] == what]

    @staticmethod
    def lives_by(cluster, node):
        """What each number that it moves is now, by the word of what lives by it."""
        return {number["what"]: number["now"] for number in cluster.ask("role", "show", node)["moved"]}

    def test_nodes_short_of_memory_hold_less_and_run_less_until_that_is_over(self):
        group = ControlGroup.make(1 << 30)
        if group is None:
            self.skipTest("no control group may be made here")
        self.addCleanup(group.close)
        cluster = self.start_nodes([], slots=4, gateways=1)
        self.addCleanup(cluster.close)  # before the group, which must be empty then
        cluster.groups.update(w1=group, g1=group)
        cluster.more["g1"] = ["--cache-bytes", str(64 << 20)]
        cluster.stop("g1")
        cluster.names.append("w1")
        cluster.start("w1", "g1")
        file = self.folder / "content"
        file.write_bytes(os.urandom(48 << 20))
        content = f"/ipfs/{cluster.add(file)}"

        def of_gateway(path):
            with urllib.request.urlopen(cluster.gateway_url + path, timeout=PATIENCE_SECONDS) as answer:
                return answer.read()

        def metric(name):
            return next(float(line.split()[-1]) for line in of_gateway("/metrics").decode().splitlines()
                        if line.split("{")[0].split(" ")[0] == name)

        def slots():
            return cluster.members().get("w1", {}).get("slots")
        self.assertEqual(of_gateway(content), file.read_bytes())
        self.assertGreater(metric("cidbus_blocks_stored_bytes"), 40 << 20)
        wait_until(lambda: slots() == 4, "all slots are open")
        hog = subprocess.Popen(  # pylint: disable=consider-using-with
            [*group.entering(), "python3", "-c", "x = bytearray(800 << 20); input()"], stdin=subprocess.PIPE)
        self.addCleanup(hog.kill)
        wait_until(lambda: slots() == 1, "one slot is left")
        wait_until(lambda: metric("cidbus_cache_limit_bytes") == 32 << 20, "the gateway's cache is half of what it was")
        self.assertLessEqual(metric("cidbus_blocks_stored_bytes"), 32 << 20, "the rest went at once")
        self.assertRegex(cluster.log("g1"), r"cache: 64 MiB -> 32 MiB: [89]\d % of the memory is used")
        self.assertRegex(cluster.log("w1"), r"slots: 4 -> 2: [89]\d % of the memory is used")
        wait_until(lambda: self.lives_by(cluster, "w1") == {"slots": "1", "cache": "32 MiB", "exchange window": "8 MiB",
                                                            "exchange batch": "2 MiB"}, "each is at its least")
        self.assertEqual(self.lives_by(cluster, "g1"), {"cache": "32 MiB"})
        self.assertEqual(cluster.ask("submit", "echo", "--wait")["state"], "completed")
        self.assertEqual(of_gateway(content), file.read_bytes())
        self.assertLessEqual(metric("cidbus_blocks_stored_bytes"), 32 << 20)

        hog.communicate(b"\n")
        wait_until(lambda: slots() == 4, "all slots are open again")
        moves = [move[:2] for move in self.moves(cluster, "w1", "slots")]
        self.assertEqual((moves[:2], moves[-1]), ([("4", "2"), ("2", "1")], ("3", "4")))
        wait_until(lambda: metric("cidbus_cache_limit_bytes") == 64 << 20, "the gateway's cache is what it was")
        self.assertEqual(self.moves(cluster, "g1", "cache")[-1], ("32 MiB", "64 MiB", "there is room again"))
        self.assertGreaterEqual(metric("cidbus_moves_total"), 2)

    def test_a_worker_for_whose_tasks_others_wait_runs_fewer_of_them_until_that_is_over(self):
        if not Path("/proc/pressure/cpu").exists():
            self.skipTest("this kernel does not say how long processors are waited for")
        # Enough to take half a processor and more beside whatever else runs here.
        many = 8 * (os.cpu_count() or 1)
        cluster = self.start_nodes([], slots=many)
        config = self.folder / "cidbus.toml"
        config.write_text('[worker.exec.burn]\ncommand = ["/bin/sh", "-c", "while :; do :; done"]\ninput = "none"\n',
                          encoding="utf-8")
        cluster.names.append("w1")
        cluster.more["w1"] = ["--config", config]
        cluster.start("w1")

        def slots():
            return int(self.lives_by(cluster, "w1")["slots"])
        wait_until(lambda: slots() == many, "all slots are open")
        done = cluster.cidbus("submit", "--batch", "-", "--output", "quiet", given='{"type": "exec.burn"}\n' * many)
        self.assertEqual(done.code, 0, done)
        wait_until(lambda: slots() <= many // 2, "half of the slots are closed", 4 * PATIENCE_SECONDS)
        before, after, reason = self.moves(cluster, "w1", "slots")[0]
        self.assertEqual((before, after), (str(many), str(many // 2)))
        self.assertRegex(reason, r"processors are waited for in \d+ % of the time, and its tasks take \d+\.\d of them")
        self.assertEqual(self.lives_by(cluster, "w1")["cache"], "64 MiB", "memory is not what is short")
        for task in done.out.split():
            cluster.cidbus("task", "cancel", task)
        fewest = slots()
        wait_until(lambda: slots() > fewest, "slots open again, since its tasks make nobody wait", 4 * PATIENCE_SECONDS)
        self.assertEqual(self.moves(cluster, "w1", "slots")[-1][2], "there is room again")


class Up(NodeTest):
    @staticmethod
    def is_ready(address):
        try:
            with urllib.request.urlopen(f"http://{address}/readyz", timeout=PATIENCE_SECONDS) as answer:
                return answer.status == 200
        except urllib.error.HTTPError:  # 503: not yet
            return False

    def test_up_is_a_cluster_in_one_process_until_control_c(self):
        cluster = NodeCluster(self.folder, workers=0)
        self.addCleanup(cluster.close)
        port = cluster.ports.base  # HTTP is below it, and another test's range: asked for by a flag of its own
        log = open(self.folder / "up.log", "wb")  # pylint: disable=consider-using-with
        self.addCleanup(log.close)
        up = subprocess.Popen(  # pylint: disable=consider-using-with
            [BIN / "cidbus", "up", "--dir", self.folder / "up", "--listen", f"127.0.0.1:{port}", "--cluster", "test",
             "--http", f"127.0.0.1:{port + 20}", "--page", f"127.0.0.1:{port + 21}"], stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        self.addCleanup(up.kill)

        def all_roles():
            self.assertIsNone(up.poll(), (self.folder / "up.log").read_text("utf-8"))
            return {member["role"] for member in cluster.members().values()} == {"master", "worker", "gateway", "observer"}
        wait_until(all_roles, "all four roles are members")
        cid = cluster.add(__file__)
        with urllib.request.urlopen(f"{cluster.gateway_url}/ipfs/{cid}", timeout=PATIENCE_SECONDS) as answer:
            self.assertEqual(answer.read(), Path(__file__).read_bytes())
        wait_until(lambda: self.is_ready(f"127.0.0.1:{port + 21}"), "the observer has heard its broker")
        self.assertEqual(cluster.ask("submit", "hash", "--input", cid, "--wait")["state"], "completed")
        up.send_signal(signal.SIGINT)
        self.assertEqual(up.wait(PATIENCE_SECONDS), 0, (self.folder / "up.log").read_text("utf-8"))
        said = (self.folder / "up.log").read_text("utf-8")
        self.assertIn(f"broker    127.0.0.1:{port}\n", said)
        self.assertIn("Only this machine reaches it", said)


if __name__ == "__main__":
    unittest.main()

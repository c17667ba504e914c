"""Real clusters for tests: the binaries as a user runs them, on free ports, in a folder that is gone afterwards.

    class Something(ClusterTest):
        def test_a_sentence(self):
            cluster = self.start_cluster(workers=2)
            cluster.kill("b1")
            ...

Nothing here waits for a while: it waits for a condition, with wait_until, and says what it waited for when that does
not come. Every process dies with the test, even when the test itself is killed. When a test fails, the end of every
node's log is printed.
"""

import ctypes
import fcntl
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("CIDBUS_BIN", ROOT / "build/release/bin"))
PHOTOGRAPH = Path("/usr/share/backgrounds/Kleiber_by_Lukas_Baubkus.jpg")  # lomiri-wallpapers-20.04
# Sanitized builds and busy machines are slow; this is for what should take a second at most.
PATIENCE_SECONDS = 60
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)
os.environ.setdefault("CIDBUS_CONFIG", "/dev/null")  # the tester's own settings are none of a test's business


def wait_until(predicate, what, timeout=PATIENCE_SECONDS):
    """Returns the first true value of predicate(); fails, naming `what`, when none comes in time."""
    deadline = time.monotonic() + timeout
    while True:
        if value := predicate():
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout} s in vain until {what}")
        time.sleep(0.02)


def die_with_the_test():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Ports:
    """A base, and ports at offsets from it, that no other test uses: locked by a file for as long as this object lives.

    A Cluster has its broker at the base, leechers from + 10 (bus, exchange, HTTP), gateways from + 20, exchanges from + 30. All of it stays below 32768, where
    Linux begins to hand out ports by itself.
    """

    def __init__(self, bases=range(20000, 32000, 40), offsets=range(40)):
        folder = Path(tempfile.gettempdir(), "cidbus-test-ports")
        folder.mkdir(exist_ok=True)
        bases = list(bases)
        random.shuffle(bases)
        for self.base in bases:
            self.lock = open(folder / str(self.base), "w", encoding="ascii")  # pylint: disable=consider-using-with
            try:
                fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                self.lock.close()
                continue
            if all(self.is_free(self.base + offset) for offset in offsets):
                return
            self.lock.close()
        raise RuntimeError(f"no free range of ports from {min(bases)} to {max(bases)}")

    @staticmethod
    def is_free(port):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
            return True

    def close(self):
        self.lock.close()


class Done:
    """How a command ended."""

    def __init__(self, arguments, code, out, err):
        self.arguments, self.code, self.out, self.err = arguments, code, out, err

    def __str__(self):
        return (f"{' '.join(map(str, self.arguments))}\n  exit {self.code}\n"
                f"  stdout: {self.out[-2000:]}\n  stderr: {self.err[-2000:]}")

    def json(self):
        return json.loads(self.out)

    def lines(self):
        """One JSON value a line."""
        return [json.loads(line) for line in self.out.splitlines()]


class Cluster:
    """Brokers b1.., workers w1.., gateways g1.., observers o1.., leechers l1..; nothing runs until start()."""

    def __init__(self, folder, name="test", workers=2, gateways=0, observers=0, leechers=0, slots=2, keys=False, brokers=1):
        self.folder, self.name, self.slots = Path(folder), name, slots
        self.ports = Ports()
        self.running = {}  # name -> Popen
        self.data = {}     # name -> its data folder, where it is not folder/NAME
        self.more = {}     # name -> more of its command line
        self.environment = {}  # of programs that are no command and no node
        self.given = {}    # name -> the brokers it is told of, where not all
        self.broker_names = [f"b{number}" for number in range(1, brokers + 1)]
        self.names = list(self.broker_names)
        for letter, count in (("w", workers), ("g", gateways), ("o", observers), ("l", leechers)):
            self.names += [f"{letter}{number}" for number in range(1, count + 1)]
        self.keys = self.folder / "keys" if keys else None
        if keys:
            self.keys.mkdir()
            roles = {"b": "master", "w": "worker", "g": "gateway", "o": "observer", "l": "leecher"}
            for name in self.names:
                self.make_key(name, roles[name[0]])
            self.make_key("person", "client")
            self.allow()

    # -- keys: KEYS/NAME.key and NAME.pub of every node and of a person, KEYS/allow

    def make_key(self, name, role):
        subprocess.run([BIN / "cidbus", "keygen", name, "--role", role, "--dir", self.keys], check=True,
                       stdout=subprocess.DEVNULL)

    def allow(self, *without):
        """Writes the allow-list: every key there is, but for those of the names given."""
        lines = [file.read_text() for file in sorted(self.keys.glob("*.pub")) if file.stem not in without]
        (self.keys / "allow").write_text("".join(lines))

    def key_flags(self, name):
        return ["--key-file", self.keys / f"{name}.key"] if self.keys else []

    def knock(self, port, name, role, says, key=None, server="b1"):
        """What somebody with this key, or with none, is told at the port (of the base) by who should be `server`."""
        command = [BIN / "key_holder", f"127.0.0.1:{self.ports.base + port}", self.name, name, role, says]
        if key:
            # It believes to be on the list itself, whatever the cluster's own list says.
            allow = self.keys / "allow-of-all"
            allow.write_text("".join(file.read_text() for file in self.keys.glob("*.pub")))
            command += [self.keys / f"{key}.key", allow, server]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120, check=True)
        return done.stdout.splitlines()

    # -- where things are

    @property
    def broker_address(self):
        """Of every broker, as nodes and the command are told it."""
        return ",".join(self.address_of_broker(name) for name in self.broker_names)

    def address_of_broker(self, name):
        return f"127.0.0.1:{self.ports.base + 6 * (int(name[1:]) - 1)}"

    @property
    def gateway_url(self):
        return f"http://127.0.0.1:{self.ports.base + 20}"

    def leecher_address(self, what="bus", name="l1"):
        """Of its bus, exchange or http."""
        place = ["bus", "exchange", "http"].index(what) + 3 * (int(name[1:]) - 1)
        return f"127.0.0.1:{self.ports.base + 10 + place}"

    def exchange_address(self, name):
        number = int(name[1:])
        return f"127.0.0.1:{self.ports.base + 30 + number - 1}" if number <= 10 else "127.0.0.1:*"

    def data_folder(self, name):
        return Path(self.data.get(name, self.folder / name))

    def log(self, name):
        """All that the node has said, over all its starts."""
        file = self.folder / f"{name}.log"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    def command(self, name):
        number = int(name[1:])
        common = ["--name", name, "--cluster", self.name, *self.key_flags(name)]
        brokers = ["--brokers", self.given.get(name, self.broker_address)]
        data = ["--data", self.data_folder(name)]
        if name[0] == "b":
            group = ",".join(f"{one}={self.address_of_broker(one)}/{9 - int(one[1:])}" for one in self.broker_names)
            return [BIN / "cidbus-broker", *common, "--listen", self.address_of_broker(name), "--group", group, *data]
        if name[0] == "w":
            return [BIN / "cidbus-worker", *common, *brokers, "--slots", str(self.slots), *data,
                    "--exchange", self.exchange_address(name)]
        if name[0] == "g":
            http = f"127.0.0.1:{self.ports.base + 20 + number - 1}"
            return [BIN / "cidbus-gateway", *common, *brokers, "--http", http]
        if name[0] == "l":
            return [BIN / "cidbus-leecher", *common, *brokers, *data, "--listen", self.leecher_address("bus", name),
                    "--exchange", self.leecher_address("exchange", name), "--http", self.leecher_address("http", name)]
        return [BIN / "cidbus-observer", *common, *brokers, "--output", "ndjson"]

    # -- processes

    def start(self, *names):
        """Starts the nodes (all of the cluster's by default) and waits until they answer."""
        first = not names
        names = names or self.names
        for name in names:
            self.spawn(name)
        self.wait_for_members(*names)
        if first and len(self.broker_names) > 2:
            wait_until(self.all_have_a_say, "no broker is new to its group any more")
        return self

    def spawn(self, name):
        """Starts a node and does not wait for it."""
        if name in self.running and self.running[name].poll() is None:
            raise RuntimeError(f"{name} runs already")
        self.data_folder(name).mkdir(parents=True, exist_ok=True)
        with open(self.folder / f"{name}.log", "ab") as log:
            # pylint: disable=consider-using-with,subprocess-popen-preexec-fn
            self.running[name] = subprocess.Popen(
                [*self.prefix(name), *self.command(name), *self.more.get(name, [])], stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, preexec_fn=die_with_the_test)
        return self.running[name]

    def kill(self, name, sig=signal.SIGKILL):
        """kill -9, and gone when this returns. (Another signal: gone when it has obeyed.) Gives the exit code."""
        process = self.running.pop(name)
        process.send_signal(sig)
        return process.wait(PATIENCE_SECONDS)

    def stop(self, name):
        """SIGTERM; gives the exit code."""
        return self.kill(name, signal.SIGTERM)

    def runs(self, name):
        return name in self.running and self.running[name].poll() is None

    def close(self):
        for process in self.running.values():
            if process.poll() is None:
                process.kill()
        for process in self.running.values():
            process.wait(PATIENCE_SECONDS)
        self.running.clear()
        self.ports.close()

    # -- questions

    def prefix(self, _name):
        """What the command of this node, or of `person`, begins with."""
        return []

    def start_cidbus(self, *arguments, brokers=None, host="person", **options):
        """The command, as a running process with pipes; `brokers` it is told of, if not all."""
        # pylint: disable=consider-using-with,subprocess-popen-preexec-fn
        return subprocess.Popen(
            [*self.prefix(host), BIN / "cidbus", "--brokers", brokers or self.broker_address, "--cluster", self.name,
             *map(str, self.key_flags("person")), *map(str, arguments)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=die_with_the_test, **options)

    def cidbus(self, *arguments, given="", timeout=PATIENCE_SECONDS, **options):
        """Runs the command to its end; its exit code is the caller's to judge."""
        process = self.start_cidbus(*arguments, **options)
        try:
            out, err = process.communicate(given, timeout)
        except subprocess.TimeoutExpired as late:
            process.kill()
            out, err = process.communicate()
            done = Done(arguments, "none", out, err)
            raise AssertionError(f"no end after {timeout} s: cidbus {done}") from late
        return Done(["cidbus", *arguments], process.returncode, out, err)

    def ask(self, *arguments, **options):
        """Runs the command, which must succeed, and gives the JSON it answers."""
        done = self.cidbus(*arguments, "--output", "json", **options)
        if done.code != 0:
            raise AssertionError(f"should have succeeded: {done}")
        return done.json()

    def add(self, path):
        """Adds a file; gives its CID."""
        done = self.cidbus("add", path, "--output", "quiet")
        if done.code != 0:
            raise AssertionError(f"should have been added: {done}")
        return done.out.strip()

    def members(self):
        """name -> member, of those the leader believes alive; empty when nobody answers."""
        done = self.cidbus("cluster", "members", "--output", "json", timeout=20)
        if done.code != 0:
            return {}
        answer = done.json()
        members = answer["members"] if isinstance(answer, dict) else answer
        return {member["name"]: member for member in members if member["state"] == "alive"}

    def all_have_a_say(self):
        """Whether what each standby holds counts at the leader: a new one that was late is brought up first."""
        done = self.cidbus("cluster", "status", "--output", "json", timeout=20)
        return done.code == 0 and all(broker["lag"] in (0, None) for broker in done.json()["brokers"])

    def leader(self):
        """The name of the broker in office, or None while nobody says so."""
        done = self.cidbus("cluster", "leader", "--output", "json", timeout=20)
        return done.json()["leader"] if done.code == 0 else None

    def wait_for_members(self, *names):
        def all_answer():
            for name in names:
                if not self.runs(name):
                    raise AssertionError(f"{name} died while it was waited for")
            members = self.members().keys()  # the leader is among them, other brokers are not
            standbys = set(self.broker_names) - members if members else set()
            return set(names) - standbys <= members
        wait_until(all_answer, f"{', '.join(names)} are members")


class ClusterTest(unittest.TestCase):
    """A test with clusters of its own, closed at its end; logs are printed if it failed."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="cidbus-test-"))
        self.clusters = []
        self.addCleanup(self.close_clusters)

    def close_clusters(self):
        outcome = self._outcome.result  # unittest keeps it until the cleanups have run
        failed = any(test is self for test, _ in getattr(outcome, "failures", []) + getattr(outcome, "errors", []))
        failed = failed or not self._outcome.success
        for cluster in self.clusters:
            dead = [name for name in cluster.names if name in cluster.running and not cluster.runs(name)]
            cluster.close()
            if failed:
                self.print_logs(cluster, dead)
        shutil.rmtree(self.folder, ignore_errors=True)

    @staticmethod
    def print_logs(cluster, dead):
        for name in cluster.names:
            print(f"---- {name}{' (died by itself)' if name in dead else ''}")
            print("\n".join(cluster.log(name).splitlines()[-25:]))

    def new_cluster(self, **options):
        """A cluster whose nodes are not started yet."""
        folder = self.folder / f"cluster{len(self.clusters) + 1}"
        folder.mkdir()
        self.clusters.append(Cluster(folder, **options))
        return self.clusters[-1]

    def start_cluster(self, **options):
        return self.new_cluster(**options).start()

    def file(self, name, content):
        """A file of the test's own folder."""
        path = self.folder / name
        path.write_bytes(content)
        return path

    def assert_fails(self, done, code, *words):
        """The command ended with this code, said one line on stderr, and each of the words is in it."""
        self.assertEqual(done.code, code, str(done))
        self.assertEqual(len(done.err.strip().splitlines()), 1, f"one line should say what is wrong: {done}")
        for word in words:
            self.assertIn(word.lower(), done.err.lower(), str(done))

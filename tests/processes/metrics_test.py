"""What nodes measure, as Prometheus and a person with curl see it: Debian's own prometheus scrapes a whole local cluster."""

import json
import os
import re
import signal
import subprocess
import unittest
import urllib.error
import urllib.parse
import urllib.request

from cluster import BIN, ROOT, ClusterTest, Done, Ports, die_with_the_test, wait_until

EXAMPLES = ROOT / "examples" / "prometheus"
TASKS = 40


def fetch(address, path):
    """Status and text."""
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()
    except OSError:
        return None, ""


def values(text):
    """series -> value"""
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {series: float(value) for series, _, value in lines}


class LocalCluster(ClusterTest):
    def setUp(self):
        super().setUp()
        ports = Ports(bases=range(14500, 18200, 45), offsets=[
            *range(6), *range(100, 106), *range(200, 206), 70, 80, 88, 95, 1000, 1001, 1200, 1300, 1400, 1401])
        self.addCleanup(ports.close)
        self.base = ports.base
        self.addCleanup(self.script, "down")

    def script(self, *arguments):
        done = subprocess.run([ROOT / "scripts/local-cluster", *arguments, "--dir", self.folder / "local"],
                              env=os.environ | {"CIDBUS_BIN": str(BIN)}, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=180, check=False)
        return Done(["local-cluster", *arguments], done.returncode, done.stdout, done.stderr)

    def cidbus(self, *arguments, given=""):
        brokers = ",".join(self.at(100 * place) for place in range(3))
        return subprocess.run([BIN / "cidbus", "--brokers", brokers, *arguments], input=given, capture_output=True,
                              text=True, timeout=120, check=True).stdout

    def at(self, offset):
        return f"127.0.0.1:{self.base + offset}"

    def shown_by(self, offset):
        return values(fetch(self.at(offset), "/metrics")[1])

    def start_prometheus(self):
        """With the example's files, for this cluster's ports."""
        example = (EXAMPLES / "prometheus.yml").read_text(encoding="utf-8")
        moved = re.sub(r"127\.0\.0\.1:(\d+)", lambda found: self.at(int(found[1]) - 9096), example)
        folder = self.folder / "prometheus"
        folder.mkdir()
        (folder / "prometheus.yml").write_text(moved.replace("scrape_interval: 15s", "scrape_interval: 1s"), encoding="utf-8")
        (folder / "alerts.yml").write_bytes((EXAMPLES / "alerts.yml").read_bytes())
        with open(folder / "log", "wb") as log:
            # pylint: disable=consider-using-with,subprocess-popen-preexec-fn
            process = subprocess.Popen(["prometheus", f"--config.file={folder / 'prometheus.yml'}",
                                        f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address={self.at(95)}"],
                                       stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_the_test)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)

    def query(self, expression):
        """The labels and the value of each series that answers it."""
        status, text = fetch(self.at(95), "/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
        if status != 200:
            return []
        return [(one["metric"], float(one["value"][1])) for one in json.loads(text)["data"]["result"]]

    def assert_becomes(self, expression, value):
        wait_until(lambda: [found for _, found in self.query(expression)] == [value], f"{expression} is {value}")

    def test_prometheus_gives_the_brokers_own_numbers(self):
        done = self.script("up", "--no-tmux", "--base-port", str(self.base), "--brokers", "3", "--leechers", "1")
        self.assertEqual(done.code, 0, str(done))
        for place in (5, 105, 205, 70, 88, 1400, 1401):
            self.assertIn(f"http://{self.at(place)}", done.out)
        self.cidbus("submit", "--batch", "-", "--wait", "--output", "ndjson",
                    given="".join('{"type":"echo","params":{"n":"%d"}}\n' % number for number in range(TASKS)))
        self.start_prometheus()
        self.assert_becomes("sum(up)", 8)
        self.assert_becomes("sum(cidbus_broker_tasks_accepted_total)", TASKS)
        self.assert_becomes('sum(cidbus_broker_tasks_finished_total{state="completed"})', TASKS)
        self.assert_becomes('sum(cidbus_worker_tasks_total{type="echo",outcome="completed"})', TASKS)
        self.assert_becomes("sum(cidbus_broker_task_run_seconds_count)", TASKS)
        self.assert_becomes("sum(cidbus_broker_is_leader)", 1)
        self.assert_becomes("sum(cidbus_broker_has_quorum)", 3)
        self.assert_becomes('count(count by (instance) (cidbus_broker_journal_index{position="commit"}))', 3)
        self.assert_becomes('sum(cidbus_broker_members{state="alive"})', 5)
        own = self.shown_by(5)
        self.assertEqual(own["cidbus_broker_tasks_accepted_total"], TASKS)
        self.assertGreater(own["cidbus_broker_commit_seconds_count"], 0)
        self.assertGreater(own["cidbus_broker_fsync_seconds_count"], 0)
        self.assertEqual(self.query('ALERTS{alertstate="firing"}'), [])

        self.check_what_an_observer_tells_of_all()
        self.assertEqual(self.script("kill-leader").out, "b1\n")
        self.assert_becomes("sum(cidbus_broker_is_leader)", 1)
        self.assert_becomes('count(up == 0)', 1)
        wait_until(lambda: self.query("cidbus_broker_offices_taken_total > 0 unless cidbus_broker_epoch < 2"),
                   "another one has told that it took office")

    def check_what_an_observer_tells_of_all(self):
        def nodes():
            told = values(fetch(self.at(88), "/metrics/nodes")[1])
            return {series.split('"')[1] for series in told if series.startswith("cidbus_node_info{")}
        wait_until(lambda: nodes() == {"b1", "b2", "b3", "w1", "w2", "l1", "g1", "o1"}, "it has heard of all")
        accepted = values(fetch(self.at(88), "/metrics/nodes")[1])['cidbus_broker_tasks_accepted_total{node="b1"}']
        self.assertEqual(accepted, TASKS)
        with open(self.folder / "local" / "w2.pid", encoding="ascii") as file:
            os.kill(int(file.read()), 15)
        wait_until(lambda: "w2" not in nodes(), "a node that left is not shown any more")
        self.assertEqual(self.script("restart", "w2").code, 0)
        wait_until(lambda: "w2" in nodes(), "it is shown again")

    def test_every_node_speaks_as_prometheus_likes_it(self):
        done = self.script("up", "--no-tmux", "--base-port", str(self.base), "--leechers", "1", "--workers", "1")
        self.assertEqual(done.code, 0, str(done))
        for offset, path in ((5, "/metrics"), (1400, "/metrics"), (70, "/metrics"), (80, "/metrics"), (88, "/metrics"),
                             (88, "/metrics/nodes")):
            status, text = wait_until(lambda: (answer := fetch(self.at(offset), path))[1] and answer, "it answers")
            self.assertEqual(status, 200)
            checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True,
                                     timeout=60, check=False)
            self.assertEqual((checked.returncode, checked.stderr), (0, ""), f"{offset}{path}")
            shown = {series.partition("{")[0] for series in values(text)}
            self.assertIn("cidbus_process_resident_memory_bytes", shown)
            self.assertIn("cidbus_turn_seconds_count", shown)


class Examples(unittest.TestCase):
    def test_are_checked_by_promtool(self):
        for words in (["check", "config", "prometheus.yml"], ["test", "rules", "alerts_test.yml"]):
            done = subprocess.run(["promtool", *words], cwd=EXAMPLES, capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_speak_of_metrics_that_there_are(self):
        documented = set(re.findall(r"^\| `(cidbus_\w+)`", (ROOT / "docs/metrics.md").read_text(encoding="utf-8"), re.M))
        used = set(re.findall(r"\bcidbus_\w+", (EXAMPLES / "alerts.yml").read_text(encoding="utf-8")))
        self.assertTrue(used)
        self.assertEqual({re.sub("_(bucket|sum|count)$", "", name) for name in used} - documented, set())


class Readiness(ClusterTest):
    def metrics_at(self, cluster, broker="b1"):
        host, _, port = cluster.address_of_broker(broker).rpartition(":")
        return f"{host}:{int(port) + 5}"

    def test_a_broker_without_a_majority_says_so_and_is_ready_again_with_one(self):
        cluster = self.start_cluster(brokers=3, workers=0)
        for name in cluster.broker_names:
            address = self.metrics_at(cluster, name)
            wait_until(lambda: fetch(address, "/readyz")[0] == 200, f"{name} is ready")
            self.assertEqual(fetch(address, "/livez"), (200, "ok\n"))
        self.assertIn("[+]group ok: it leads", fetch(self.metrics_at(cluster, "b1"), "/readyz?verbose")[1])
        self.assertIn("[+]group ok: it follows", fetch(self.metrics_at(cluster, "b2"), "/readyz?verbose")[1])
        cluster.kill("b1")
        cluster.kill("b2")
        address = self.metrics_at(cluster, "b3")
        wait_until(lambda: fetch(address, "/readyz")[0] == 503, "alone it is not ready")
        self.assertIn("[-]group failed: no broker of its group leads", fetch(address, "/readyz")[1])
        self.assertEqual(fetch(address, "/livez")[0], 200)
        self.assertEqual(values(fetch(address, "/metrics")[1])["cidbus_broker_has_quorum"], 0)
        cluster.start("b2")
        wait_until(lambda: fetch(address, "/readyz")[0] == 200, "with another one it is")

    def test_a_worker_is_ready_only_while_a_leader_gives_it_tasks(self):
        cluster = self.new_cluster(workers=1)
        address = f"127.0.0.1:{cluster.ports.base + 9}"
        cluster.more["w1"] = ["--metrics-listen", address]
        cluster.start()
        wait_until(lambda: fetch(address, "/readyz")[0] == 200, "it is ready")
        cluster.kill("b1")
        wait_until(lambda: fetch(address, "/readyz")[0] == 503, "without a leader it is not")
        self.assertIn("[-]bus failed: no leader is reached", fetch(address, "/readyz")[1])
        self.assertEqual(values(fetch(address, "/metrics")[1])["cidbus_leader_lost_total"], 1)

    def test_an_observer_that_hears_nothing_is_not_ready_though_it_is_connected(self):
        cluster = self.new_cluster(workers=0, observers=1)
        address = f"127.0.0.1:{cluster.ports.base + 28}"
        cluster.more["o1"] = ["--page", address]
        cluster.start()
        wait_until(lambda: fetch(address, "/readyz")[0] == 200, "it is ready")
        cluster.running["b1"].send_signal(signal.SIGSTOP)  # its connections stay
        wait_until(lambda: "[-]feed failed: nothing was heard on it lately" in fetch(address, "/readyz")[1], "it says that the feed is silent")
        self.assertEqual(fetch(address, "/readyz")[0], 503)
        self.assertEqual(fetch(address, "/livez")[0], 200)
        cluster.running["b1"].send_signal(signal.SIGCONT)
        wait_until(lambda: fetch(address, "/readyz")[0] == 200, "it hears the leader again")

    def test_an_address_that_is_none_or_taken_is_refused(self):
        cluster = self.start_cluster(workers=0)
        for address, code, words in (("nowhere", 2, ["nowhere"]), (self.metrics_at(cluster), 1, ["in use"])):
            done = subprocess.run([BIN / "cidbus-worker", "--name", "w9", "--data", self.folder / "w9", "--brokers",
                                   cluster.broker_address, "--exchange", cluster.exchange_address("w9"),
                                   "--metrics-listen", address], capture_output=True, text=True, timeout=60, check=False)
            self.assert_fails(Done(["cidbus-worker", address], done.returncode, done.stdout, done.stderr), code, *words)


if __name__ == "__main__":
    unittest.main()

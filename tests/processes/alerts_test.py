"""A drill: the leader is killed, a disk is filled, a worker stops; each alert is told once, and once more when it is over."""

import http.server
import json
import signal
import subprocess
import threading
import unittest

from cluster import BIN, ClusterTest, Done, wait_until
from full_disk_test import SmallDisk

LONG = 180  # seconds, on a machine that has no time
# What the drill gives no cause for, however slow the machine; and what a machine that is busy with other things may add.
CAUSELESS = {"broker_lag", "single_node", "few_nodes", "failures", "queue_age"}
MACHINE = {"cpu_used", "memory_used", "disk_used", "memory_unusual"}


class Web:
    """A web server that keeps what is POSTed to it; it refuses the first request, and takes it when it comes again."""

    def __init__(self):
        self.heard = []
        owner = self
        refused = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # pylint: disable=invalid-name
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if not refused:
                    refused.append(body)
                    self.send_response(503)
                else:
                    owner.heard.append(body)
                    self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/alerts"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Drill(ClusterTest):
    def setUp(self):
        super().setUp()
        self.web = Web()
        self.addCleanup(self.web.close)
        self.disk = SmallDisk(self.folder / "disk", 1024)
        self.addCleanup(self.disk.close)
        self.sink = self.folder / "sink.ndjson"
        self.rules = self.folder / "rules.toml"
        self.rules.write_text(f"""
            [rule.disk_free]
            warning = 300e6
            critical = 100e6
            clear = 400e6
            for = "1s"
            [sink.file]
            command = ["/bin/sh", "-c", "cat >>{self.sink}"]
            [sink.web]
            webhook = "{self.web.address}"
        """)
        self.data = self.folder / "o1"

    def observer(self, *words):
        done = subprocess.run([BIN / "cidbus-observer", *map(str, words)], capture_output=True, text=True, timeout=120, check=False)
        return Done(words, done.returncode, done.stdout, done.stderr)

    def told(self, rule, node, change):
        """What the sink was told of this."""
        lines = self.sink.read_text().splitlines() if self.sink.exists() else []
        return [alert for alert in map(json.loads, lines) if (alert["rule"], alert["node"], alert["change"]) == (rule, node, change)]

    def wait_for(self, rule, node, change):
        return wait_until(lambda: self.told(rule, node, change), f"{rule} of {node} is {change}", LONG)[0]

    def state(self, rule, node):
        """Of the alert, as `alerts list` tells it; None when it is not raised."""
        done = self.observer("alerts", "list", "--data", self.data, "--output", "json")
        self.assertEqual(done.code, 0, str(done))
        return next((alert for alert in done.json() if (alert["rule"], alert["node"]) == (rule, node)), None)

    def test_each_alert_is_told_once_and_once_when_it_is_over(self):
        cluster = self.new_cluster(brokers=3, workers=2, observers=1)
        cluster.data["w2"] = self.disk.folder / "w2"
        cluster.more["o1"] = ["--data", self.data, "--rules", self.rules]
        cluster.start()
        wait_until(lambda: self.observer("history", "show", "--data", self.data, "--series", "disk_free_bytes").code == 0,
                   "it measures", LONG)
        leader = cluster.leader()
        causes = [("broker_unreachable", leader), ("disk_free", "w2"), ("node_silent", "w1")]
        cluster.kill(leader)
        self.disk.fill()
        cluster.running["w1"].send_signal(signal.SIGSTOP)
        for rule, node in causes:
            self.wait_for(rule, node, "raised")
        cluster.running["w1"].send_signal(signal.SIGCONT)
        self.disk.make_room()
        cluster.start(leader)
        for rule, node in causes:
            over = self.wait_for(rule, node, "resolved")
            self.assertEqual(over["id"], self.told(rule, node, "raised")[0]["id"])
            self.assertEqual([len(self.told(rule, node, change)) for change in ("raised", "resolved")], [1, 1], rule)
        alerts = [json.loads(line) for line in self.sink.read_text().splitlines()]
        self.assertEqual({alert["rule"] for alert in alerts} & CAUSELESS, set())
        for rule, node in (("broker_unreachable", leader), ("node_silent", "w1")):  # which hide all others of their node
            self.assertEqual({alert["rule"] for alert in alerts if alert["node"] == node} - MACHINE, {rule})
        heard = wait_until(lambda: len(self.web.heard) >= len(self.sink.read_text().splitlines()) and list(self.web.heard),
                           "the web has heard as much, what it refused too", LONG)
        self.assertEqual([alert["id"] for alert in heard[:6]],
                         [json.loads(line)["id"] for line in self.sink.read_text().splitlines()[:6]])
        replayed = self.observer("rules", "test", self.rules, "--data", self.data)
        self.assertRegex(replayed.out, r"raised \w+ disk_free: w2: disk_free_bytes is .*, below", str(replayed))
        self.silenced_and_restarted(cluster)

    def silenced_and_restarted(self, cluster):
        name = self.observer("alerts", "silence", "--data", self.data, "--node", "w2", "--for", "1h").out.strip()
        cluster.kill("w2")
        wait_until(lambda: (alert := self.state("node_silent", "w2")) and alert["state"] == f"silenced by {name}",
                   "it is raised in silence", LONG)
        cluster.kill("o1")
        cluster.start("o1")
        self.assertEqual(self.told("node_silent", "w2", "raised"), [])
        self.assertEqual(self.observer("alerts", "unsilence", name, "--data", self.data).code, 0)
        alert = self.wait_for("node_silent", "w2", "raised")
        self.assertEqual(self.observer("alerts", "ack", alert["id"], "--data", self.data).code, 0)
        self.assertRegex(self.state("node_silent", "w2")["state"], "seen by ")
        cluster.start("w2")
        self.wait_for("node_silent", "w2", "resolved")
        wait_until(lambda: self.state("node_silent", "w2") is None, "it is raised no more", LONG)
        self.assertEqual(len(self.told("node_silent", "w2", "raised")), 1)

    def test_what_no_sink_had_taken_is_told_by_the_next_start(self):
        gate = self.folder / "open"
        self.rules.write_text(f"""
            [rule.no_worker]
            for = "0s"
            [sink.file]
            command = ["/bin/sh", "-c", "test -e {gate} && cat >>{self.sink}"]
        """)
        cluster = self.new_cluster(workers=0, observers=1)
        cluster.more["o1"] = ["--data", self.data, "--rules", self.rules]
        cluster.start()
        wait_until(lambda: "could not be told an alert" in cluster.log("o1") and self.state("no_worker", None), "a sink refuses it", LONG)
        cluster.kill("o1")
        gate.touch()
        cluster.start("o1")
        self.wait_for("no_worker", None, "raised")

    def test_what_makes_no_sense_is_one_line(self):
        self.rules.write_text("[rule.x]\nwarning = 1\n")
        self.assert_fails(self.observer("--name", "o1", "--rules", self.rules), 65, f"{self.rules}:1", "series")
        self.assert_fails(self.observer("rules", "test", self.rules), 65, "series")
        self.assert_fails(self.observer("alerts", "ack", "x", "--data", self.folder), 1, "no history")
        self.assert_fails(self.observer("alerts", "silence", "--for", "2h", "--data", self.folder), 2, "--rule or --node")
        self.assert_fails(self.observer("alerts", "unsilence", "s9", "--data", self.folder), 1, "s9")
        self.assertIn("node_silent", self.observer("rules", "list").out)


if __name__ == "__main__":
    unittest.main()

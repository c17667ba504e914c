"""Logs that programs can read, in both forms, and a level that follows signals."""

import json
import re
import shlex
import signal
import unittest
from datetime import datetime, timezone

from cluster import ClusterTest, wait_until


def parse_logfmt(line):
    """field -> text; a line that is none is a failed test."""
    words = shlex.split(line)
    fields = dict(word.split("=", 1) for word in words)
    assert len(fields) == len(words), line
    return fields


class Logs(ClusterTest):
    def start(self, *flags):
        cluster = self.new_cluster(workers=1, gateways=1, leechers=1)
        for name in cluster.names:
            cluster.more[name] = [*flags]
        return cluster.start()

    def check(self, line, fields, name):
        roles = {"b": "master", "w": "worker", "g": "gateway", "l": "leecher"}
        self.assertEqual((fields["node"], fields["role"]), (name, roles[name[0]]), line)
        self.assertRegex(fields["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        told = datetime.strptime(fields["time"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
        self.assertLess(abs((datetime.now(timezone.utc) - told).total_seconds()), 600, "it is UTC")
        self.assertIn(fields["level"], ("debug", "info", "warning", "error"))
        self.assertTrue(fields["msg"])

    def test_every_line_is_logfmt(self):
        cluster = self.start("--log-level", "debug")
        task = cluster.ask("submit", "echo", "--wait")["id"]
        for name in cluster.names:
            wait_until(lambda name=name: cluster.log(name).endswith("\n"), f"{name} says something")
            for line in cluster.log(name).splitlines():
                self.check(line, parse_logfmt(line), name)
        office = [parse_logfmt(line) for line in cluster.log("b1").splitlines() if "in office" in line]
        self.assertGreater(int(office[0]["epoch"]), 0)
        wait_until(lambda: f"task={task}" in cluster.log("w1"), "the worker tells of the attempt")
        ended = [parse_logfmt(line) for line in cluster.log("w1").splitlines() if f"task={task}" in line]
        self.assertEqual([(line["attempt"], line["level"]) for line in ended], [("1", "debug")])
        self.assertRegex(ended[0]["msg"], r"^echo completed after \d+ us$")

    def test_every_line_is_json(self):
        cluster = self.start("--log-level", "debug", "--log-format", "json")
        task = cluster.ask("submit", "echo", "--wait")["id"]
        wait_until(lambda: f'"task":"{task}"' in cluster.log("w1"), "the worker tells of the attempt")
        for name in cluster.names:
            for line in cluster.log(name).splitlines():
                self.check(line, json.loads(line), name)
        office = [json.loads(line) for line in cluster.log("b1").splitlines() if "in office" in line]
        self.assertIsInstance(office[0]["epoch"], int)

    def test_signals_make_it_louder_and_quieter(self):
        cluster = self.start_cluster(workers=1)
        self.assertEqual(cluster.log("w1"), "")
        worker = cluster.running["w1"]
        worker.send_signal(signal.SIGUSR1)
        wait_until(lambda: 'msg="the log level is info now"' in cluster.log("w1"), "it says more")
        worker.send_signal(signal.SIGUSR1)
        wait_until(lambda: "the log level is debug now" in cluster.log("w1"), "it says all")
        task = cluster.ask("submit", "echo", "--wait")["id"]
        wait_until(lambda: f"task={task}" in cluster.log("w1"), "it tells of the attempt")
        for level in ("info", "warning"):
            worker.send_signal(signal.SIGUSR2)
            wait_until(lambda level=level: cluster.log("w1").count(f"the log level is {level} now") == (2 if level == "info" else 1),
                       f"it is at {level} again")
        before = cluster.log("w1")
        cluster.ask("submit", "echo", "--wait")
        self.assertEqual(cluster.stop("w1"), 0)
        self.assertEqual(re.sub(r"(?m)^.*(level=warning|level=error).*\n", "", cluster.log("w1")[len(before):]), "")


if __name__ == "__main__":
    unittest.main()

"""Hosts for tests: a network namespace each, joined by a router in one of its own; and links between them that are cut
or bad.

    with Hosts(["b1", "b2", "client"]) as hosts:
        subprocess.run([*hosts.on("b1"), "hostname", "-I"])
        hosts.cut("b1", "b2")                # nothing passes, in either direction
        hosts.cut_one_way("b1", "client")    # what b1 sends to client is lost
        hosts.worsen("b1", "b2", delay=0.08, loss=0.05)   # what relay.py can do to packets
        hosts.heal()

A packet that is cut vanishes, as on a real network: no connection breaks, nobody is told. The router drops it by a rule
of its routing table, since the kernel may have neither netfilter nor netem. What passes a bad link it routes by a relay.
"""

import json
import os
import subprocess
import sys
import unittest
from pathlib import Path

RELAY = Path(__file__).with_name("relay.py")
RELAY_TABLE = 77  # of the router's routes
CUTS_FROM, RELAYED_FROM = 100, 1000  # of its rules: a link that is bad and cut is cut


def ip(*words, inside=None, check=True):
    """Runs ip(8), in a namespace."""
    where = ["-n", inside] if inside else []
    done = subprocess.run(["ip", *where, *map(str, words)], capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        raise OSError(f"ip {' '.join([*where, *map(str, words)])}: {done.stderr.strip()}")
    return done


def why_not(hurt):
    """Why there can be no hosts here that are hurt so, or nothing."""
    if os.geteuid() != 0:
        return "needs root, for network namespaces"
    try:
        with Hosts(["a", "b"]) as hosts:
            hurt(hosts)
    except OSError as failed:
        return f"no network namespaces with routing rules and devices of their own here: {failed}"
    return None


def why_no_cuts():
    return why_not(lambda hosts: hosts.cut("a", "b"))


def why_no_bad_links():
    return why_not(lambda hosts: hosts.worsen("a", "b", delay=0.01))


def skip_for(why):
    """Skips a class of tests if there is a reason to."""
    return unittest.skip(why) if why else lambda test: test


class Hosts:
    """Every host reaches every other one by the router, until it is cut off."""

    def __init__(self, names):
        self.names = list(names)
        self.prefix = f"cidbus{os.getpid()}"
        self.rules = []
        self.relay = None   # its process, once there was a bad link
        self.relayed = []   # (sender, receiver)

    def __enter__(self):
        try:
            self.build()
        except OSError:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.relay:
            self.relay.communicate()  # its input ends, and so does it
            self.relay = None
        for name in ["router", *self.names]:
            ip("netns", "del", self.namespace(name), check=False)

    def namespace(self, name):
        return f"{self.prefix}-{name}"

    def network(self, name):
        return f"10.77.{self.names.index(name) + 1}"

    def address(self, name):
        return f"{self.network(name)}.2"

    def on(self, name):
        """What a command begins with to run on this host."""
        return ["ip", "netns", "exec", self.namespace(name)]

    def build(self):
        router = self.namespace("router")
        ip("netns", "add", router)
        subprocess.run(["ip", "netns", "exec", router, "sysctl", "-qw", "net.ipv4.ip_forward=1"], check=True)
        for name in self.names:
            host, link = self.namespace(name), f"to-{name}"
            ip("netns", "add", host)
            ip("link", "add", link, "type", "veth", "peer", "name", "uplink", inside=router)
            ip("link", "set", "uplink", "netns", host, inside=router)
            ip("address", "add", f"{self.network(name)}.1/24", "dev", link, inside=router)
            ip("link", "set", link, "up", inside=router)
            ip("address", "add", f"{self.address(name)}/24", "dev", "uplink", inside=host)
            for device in ("lo", "uplink"):
                ip("link", "set", device, "up", inside=host)
            ip("route", "add", "default", "via", f"{self.network(name)}.1", inside=host)

    def lose(self, ways):
        """What is sent from one to the other of each pair is lost, from the same moment on."""
        rules = [f"{self.way(*ends)} blackhole pref {CUTS_FROM + len(self.rules) + place}" for place, ends in enumerate(ways)]
        self.batch(f"rule add {rule}" for rule in rules)
        self.rules += rules

    def way(self, sender, receiver):
        """What a rule of the router begins with to apply to what one sends to the other."""
        return f"iif to-{sender} to {self.network(receiver)}.0/24"

    def cut_one_way(self, sender, receiver):
        self.lose([(sender, receiver)])

    def cut(self, one, other):
        self.lose([(one, other), (other, one)])

    def isolate(self, name, among=None):
        """From all others, or from these."""
        others = [other for other in among or self.names if other != name]
        self.lose([(name, other) for other in others] + [(other, name) for other in others])

    def worsen(self, one, other, **link):
        """The link between the two, in each direction: what Way.change in relay.py takes."""
        self.worsen_one_way(one, other, **link)
        self.worsen_one_way(other, one, **link)

    def worsen_one_way(self, sender, receiver, **link):
        if self.relay is None:
            self.start_relay()
        self.ask_relay({"way": [self.network(sender), self.network(receiver)], "link": link})
        if (sender, receiver) not in self.relayed:
            pref = RELAYED_FROM + len(self.relayed)
            self.batch([f"rule add {self.way(sender, receiver)} lookup {RELAY_TABLE} pref {pref}"])
            self.relayed.append((sender, receiver))

    def packets(self, sender, receiver):
        """What became of those that the relay took: {"came": .., "lost": .., "bytes": ..}"""
        return self.ask_relay({})[f"{self.network(sender)} {self.network(receiver)}"]

    def start_relay(self):
        # pylint: disable=consider-using-with
        self.relay = subprocess.Popen([*self.on("router"), sys.executable, RELAY], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True)
        self.hear_relay()
        ip("route", "add", "default", "dev", "relay", "table", RELAY_TABLE, inside=self.namespace("router"))

    def ask_relay(self, asked):
        self.relay.stdin.write(json.dumps(asked) + "\n")
        self.relay.stdin.flush()
        return self.hear_relay()

    def hear_relay(self):
        line = self.relay.stdout.readline()
        if not line:
            raise OSError(f"the relay ended with {self.relay.wait()}")
        return json.loads(line)

    def batch(self, lines):
        done = subprocess.run(["ip", "-n", self.namespace("router"), "-batch", "-"], input="\n".join(lines) + "\n",
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise OSError(f"ip -batch: {done.stderr.strip()}")

    def heal(self):
        """Everything passes again, and what was held goes on."""
        prefs = [RELAYED_FROM + place for place in range(len(self.relayed))]
        self.batch([f"rule del {rule}" for rule in self.rules] + [f"rule del pref {pref}" for pref in prefs])
        for sender, receiver in self.relayed:
            self.ask_relay({"way": [self.network(sender), self.network(receiver)], "link": {}})
        self.rules.clear()
        self.relayed.clear()

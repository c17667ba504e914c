"""Hosts for tests: a network namespace each, joined by a router in one of its own; and links between them that are cut.

    with Hosts(["b1", "b2", "client"]) as hosts:
        subprocess.run([*hosts.on("b1"), "hostname", "-I"])
        hosts.cut("b1", "b2")                # nothing passes, in either direction
        hosts.cut_one_way("b1", "client")    # what b1 sends to client is lost
        hosts.heal()

A packet that is cut vanishes, as on a real network: no connection breaks, nobody is told. The router drops it by a rule
of its routing table, since the kernel may have neither netfilter nor netem.
"""

import os
import subprocess
import unittest


def ip(*words, inside=None, check=True):
    """Runs ip(8), in a namespace."""
    where = ["-n", inside] if inside else []
    done = subprocess.run(["ip", *where, *map(str, words)], capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        raise OSError(f"ip {' '.join([*where, *map(str, words)])}: {done.stderr.strip()}")
    return done


def why_not():
    """Why there can be no hosts here, or nothing."""
    if os.geteuid() != 0:
        return "needs root, for network namespaces"
    try:
        with Hosts(["a", "b"]) as hosts:
            hosts.cut("a", "b")
    except OSError as failed:
        return f"no network namespaces with routing rules here: {failed}"
    return None


def needs_hosts(test):
    """Skips a class of tests where there can be no hosts."""
    why = why_not()
    return unittest.skip(why)(test) if why else test


class Hosts:
    """Every host reaches every other one by the router, until it is cut off."""

    def __init__(self, names):
        self.names = list(names)
        self.prefix = f"cidbus{os.getpid()}"
        self.rules = []

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
        rules = [f"iif to-{sender} to {self.network(receiver)}.0/24 blackhole pref {100 + len(self.rules) + place}"
                 for place, (sender, receiver) in enumerate(ways)]
        self.batch(f"rule add {rule}" for rule in rules)
        self.rules += rules

    def cut_one_way(self, sender, receiver):
        self.lose([(sender, receiver)])

    def cut(self, one, other):
        self.lose([(one, other), (other, one)])

    def isolate(self, name, among=None):
        """From all others, or from these."""
        others = [other for other in among or self.names if other != name]
        self.lose([(name, other) for other in others] + [(other, name) for other in others])

    def batch(self, lines):
        done = subprocess.run(["ip", "-n", self.namespace("router"), "-batch", "-"], input="\n".join(lines) + "\n",
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise OSError(f"ip -batch: {done.stderr.strip()}")

    def heal(self):
        self.batch(f"rule del {rule}" for rule in self.rules)
        self.rules.clear()

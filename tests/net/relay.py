"""A relay between hosts (hosts.py): what comes to it goes on late, slowly, twice or not at all.

It runs on the router and has a network device there, `relay`. What the kernel routes into the device is read here, and
what is written into it goes on its way. So both ends see what a bad network does: TCP waits, sends again and slows
down. The kernel may have no netem. A proxy of connections was rejected: it loses nothing, and brokers could not be told
of it, since the list of a group has the same addresses for all.

Its input is a line of JSON for each change, its answer a line once that is in force: what became of packets so far.

    {"way": ["10.77.1", "10.77.2"], "link": {"delay": 0.08, "rate": 64000}}     networks of sender and receiver; Way.change
    {}                                                                          a question
"""

import fcntl
import heapq
import itertools
import json
import os
import random
import select
import struct
import subprocess
import sys
import time

QUEUE_BYTES = 64 * 1024  # wait for a narrow place, or while a way is held; what comes beyond them is lost
PACKETS_A_TURN = 64
PACKET_BYTES = 65536
SET_INTERFACE, TUN_WITHOUT_HEADER = 0x400454CA, 0x1001  # linux/if_tun.h: TUNSETIFF, IFF_TUN | IFF_NO_PI


class Way:
    """One direction of a link."""

    def __init__(self, chance):
        self.chance = chance
        self.free = 0.0  # when the narrow place has let everything pass that came
        self.waiting = []
        self.counts = {"came": 0, "lost": 0, "bytes": 0}  # bytes: of what went on
        self.change()

    # pylint: disable=attribute-defined-outside-init
    def change(self, delay=0.0, jitter=0.0, loss=0.0, twice=0.0, rate=None, held=False):
        """Seconds; seconds more at the most, by chance; shares of all packets; bytes a second; whether nothing moves until
        the next change."""
        self.delay, self.jitter, self.loss, self.twice, self.rate, self.held = delay, jitter, loss, twice, rate, held

    def take(self, packet, now):
        """When the packet arrives: a time, two or none."""
        begun = max(now, self.free)
        is_full = self.rate is not None and (begun - now) * self.rate > QUEUE_BYTES
        if is_full or self.chance.random() < self.loss:
            self.counts["lost"] += 1
            return []
        if self.rate is not None:
            self.free = begun = begun + len(packet) / self.rate
        self.counts["bytes"] += len(packet)
        copies = 2 if self.chance.random() < self.twice else 1
        return [begun + self.delay + self.chance.random() * self.jitter for _ in range(copies)]

    def hold(self, packet):
        if sum(map(len, self.waiting)) < QUEUE_BYTES:
            self.waiting.append(packet)
        else:
            self.counts["lost"] += 1


class Switch:
    """All ways, and the packets under way."""

    def __init__(self, seed=1):
        self.chance = random.Random(seed)
        self.ways = {}
        self.under_way = []  # heap of (when it arrives, a number, packet)
        self.numbers = itertools.count()

    def way(self, sender, receiver):
        return self.ways.setdefault((sender, receiver), Way(self.chance))

    def take(self, packet, now):
        way = self.way(packet[12:15], packet[16:19])  # IPv4's addresses, without the host's own byte
        way.counts["came"] += 1
        if way.held:
            way.hold(packet)
        else:
            self.pass_on(way, packet, now)

    def pass_on(self, way, packet, now):
        for when in way.take(packet, now):
            heapq.heappush(self.under_way, (when, next(self.numbers), packet))

    def change(self, sender, receiver, link, now):
        way = self.way(sender, receiver)
        way.change(**link)
        if not way.held:
            waiting, way.waiting = way.waiting, []
            for packet in waiting:
                self.pass_on(way, packet, now)

    def arrived(self, now):
        while self.under_way and self.under_way[0][0] <= now:
            yield heapq.heappop(self.under_way)[2]

    def until_next(self, now):
        return max(0.0, self.under_way[0][0] - now) if self.under_way else None


def network(text):
    return bytes(map(int, text.split(".")))


def answer(switch, line):
    asked = json.loads(line)
    if asked:
        switch.change(*map(network, asked["way"]), asked["link"], time.monotonic())
    counts = {" ".join(".".join(map(str, end)) for end in ends): way.counts for ends, way in switch.ways.items()}
    print(json.dumps(counts), flush=True)


def main():
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, SET_INTERFACE, struct.pack("16sH22x", b"relay", TUN_WITHOUT_HEADER))
    subprocess.run(["ip", "link", "set", "relay", "up"], check=True)
    print("{}", flush=True)
    switch = Switch()
    while True:
        ready, _, _ = select.select([device, sys.stdin], [], [], switch.until_next(time.monotonic()))
        for _ in range(PACKETS_A_TURN if device in ready else 0):
            try:
                switch.take(os.read(device, PACKET_BYTES), time.monotonic())
            except BlockingIOError:
                break
        for packet in switch.arrived(time.monotonic()):
            try:
                os.write(device, packet)
            except OSError:  # no room in the kernel: lost
                pass
        if sys.stdin in ready:
            line = sys.stdin.readline()  # whoever writes one asks for its answer before it writes the next
            if not line:
                return
            answer(switch, line)


if __name__ == "__main__":
    main()

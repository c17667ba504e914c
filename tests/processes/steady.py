"""Brokers hurt one after another while a client submits without end: how long until the next task is accepted, and
whether every task was answered, once.

    hurt = Steady(cluster)
    hurt.kill_leader()                  # kill -9; the broker is back, and has caught up, when this returns
    hurt.pause("leader")                # SIGSTOP until another one leads, then SIGCONT
    hurt.pause("standby")
    hurt.finish()                       # raises when a task was lost, told twice or answered wrongly
    print(hurt.table())

A task counts as the next accepted one when it was submitted after the blow: what was on its way before may have been
accepted before. Who won each election is read off the feed afterwards: no voter may have had a longer journal.
"""

import bisect
import json
import random
import signal
import subprocess
import threading
import time

from cluster import BIN, PATIENCE_SECONDS, die_with_the_test, wait_until

SECOND = 1_000_000_000
REST_TASKS = 40  # accepted between two blows, so that each meets a group at work


def percentile(values, share):
    """The value that this share of all is not above."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1))]


class Steady:
    """A cluster under a steady client, and what was done to it. The cluster has an observer, o1."""

    def __init__(self, cluster, window=64, seed=1, prefix=()):
        self.cluster, self.chance = cluster, random.Random(seed)
        self.times = {}      # what was done -> milliseconds to the next accepted task, each time
        self.submitted = []  # nanoseconds, in order
        self.accepted = []   # of the same tasks
        self.summary = None
        environment = {"CIDBUS_BROKERS": cluster.broker_address, "CIDBUS_CLUSTER": cluster.name,
                       "CIDBUS_CONFIG": "/dev/null", "PATH": "/usr/bin:/bin:/usr/sbin:/sbin", **cluster.environment}
        # pylint: disable=consider-using-with,subprocess-popen-preexec-fn
        self.client = subprocess.Popen([*prefix, BIN / "steady_client", str(window)], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, text=True, env=environment,
                                       preexec_fn=die_with_the_test)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        self.next_accepted(time.monotonic_ns())

    def read(self):
        for line in self.client.stdout:
            words = line.split()
            if words[0] == "accepted":
                self.accepted.append(int(words[2]))
                self.submitted.append(int(words[1]))  # last: whoever sees it finds the other
            else:
                self.summary = dict(zip(words[::2], map(int, words[1::2])))

    def next_accepted(self, since):
        """Milliseconds from `since` until a task that was submitted after it was accepted."""
        def found():
            place = bisect.bisect_right(self.submitted, since)
            return place < len(self.submitted) and self.accepted[place]
        return (wait_until(found, "a task is accepted again") - since) / 1e6

    def note(self, what, since):
        self.times.setdefault(what, []).append(self.next_accepted(since))

    def status(self, **where):
        done = self.cluster.cidbus("cluster", "status", "--output", "json", **where)
        return done.json() if done.out else {"brokers": [], "leader": None}

    def wait_until_whole(self):
        """Every broker is up, and none is more than a batch or so behind; gives the leader's name."""
        def whole():
            status = self.status()
            lags = [broker["lag"] for broker in status["brokers"] if broker["state"] in ("leader", "standby")]
            return len(lags) == len(self.cluster.broker_names) and status["leader"] and \
                all(lag is not None and lag < 1000 for lag in lags) and status["leader"]
        leader = wait_until(whole, "every broker has caught up")
        enough = len(self.submitted) + REST_TASKS
        wait_until(lambda: len(self.submitted) >= enough, "the group is at work")
        return leader

    def kill_leader(self):
        leader = self.wait_until_whole()
        since = time.monotonic_ns()
        self.cluster.kill(leader)
        self.note("leader killed", since)
        self.cluster.spawn(leader)

    def pause(self, whom):
        """SIGSTOP; a leader until another one leads, a standby for half a second. Then SIGCONT."""
        leader = self.wait_until_whole()
        standbys = [name for name in self.cluster.broker_names if name != leader]
        paused = leader if whom == "leader" else self.chance.choice(standbys)
        since = time.monotonic_ns()
        self.cluster.running[paused].send_signal(signal.SIGSTOP)
        self.note(f"{whom} paused", since)
        if whom == "standby":
            time.sleep(0.5)  # the pause itself
        self.cluster.running[paused].send_signal(signal.SIGCONT)

    def finish(self):
        """Ends the client; every task it has submitted must have been told once, as its own."""
        self.client.stdin.close()
        if self.client.wait(PATIENCE_SECONDS) != 0:
            raise AssertionError(f"the client ended with {self.client.returncode}")
        self.reader.join(PATIENCE_SECONDS)
        self.client.stdout.close()
        bad = {what: self.summary[what] for what in ("twice", "wrong", "failed", "same")}
        if any(bad.values()) or self.summary["told"] != self.summary["submitted"]:
            raise AssertionError(f"not every task was answered once: {self.summary}")

    def election_events(self):
        """What brokers said in elections, in the order of their clock, which is one: what is said behind a cut is heard late."""
        lines = [line for line in self.cluster.log("o1").splitlines()
                 if line.startswith('{"event":"election"') and line.endswith("}")]
        return sorted(map(json.loads, lines), key=lambda event: event["time"])

    def elections(self):
        """(epoch, winner, its rank, {voter: (its rank, whether it had its turn)}) of each election that was not a hand-over.

        A voter's rank is that of its AYE: when its vote is on disk, it may have heard of the new office already. Who
        asked for the office before, since somebody took it last, had its turn: it objected (OK) and asked, or asked
        first; the others held back for it as long as they must, and it was not elected (CONSENSUS E3, E4)."""
        handed, turns, stood, ayes, votes = set(), set(), {}, {}, {}
        for event in self.election_events():
            epoch, speaker, to = event["epoch"], event["publisher"], event["to"]
            rank = (event["last_epoch"], event["last"], event["priority"], speaker)
            if event["word"] == "HANDOVER":
                handed.add(epoch + 1)
            elif event["word"] == "COORDINATOR":
                turns.clear()
            elif event["word"] == "ELECTION":
                turns.add(speaker)
            elif event["word"] == "AYE":
                ayes[(speaker, to)] = (rank, speaker in turns)
            elif event["word"] == "VOTE_REQ":
                stood[(epoch, speaker)] = rank
            elif event["word"] == "VOTE" and (speaker, to) in ayes:
                votes.setdefault((epoch, to), {})[speaker] = ayes.pop((speaker, to))
        return [(epoch, winner, stood[(epoch, winner)], voters) for (epoch, winner), voters in sorted(votes.items())
                if epoch not in handed and (epoch, winner) in stood]

    def check_winners(self):
        """Of all elections: {"elections": how many, "unfit": voters with -1 for a priority, and fit voters of a higher rank
        than the winner: "late": they had their turn and were not elected in it; "passed over": they had not}.

        A voter with a longer journal than the winner is a failure."""
        counts = {"elections": 0, "unfit": 0, "late": 0, "passed over": 0}
        for epoch, winner, rank, voters in self.elections():
            counts["elections"] += 1
            for voter, (held, had_its_turn) in voters.items():
                if held[:2] > rank[:2]:
                    raise AssertionError(f"epoch {epoch}: {winner} won with {rank} against {voter} with {held}")
                if held[2] < 0:
                    counts["unfit"] += 1
                elif held > rank:
                    counts["late" if had_its_turn else "passed over"] += 1
        return counts

    def table(self):
        lines = [f"{'':16} {'times':>6} {'p50':>8} {'p95':>8} {'worst':>8}   ms to the next accepted task"]
        for what, times in self.times.items():
            lines.append(f"{what:16} {len(times):6} {percentile(times, 0.5):8.1f} {percentile(times, 0.95):8.1f} "
                         f"{max(times):8.1f}")
        if self.summary:
            lost = self.summary["submitted"] - self.summary["told"]
            lines.append(f"{self.summary['submitted']} tasks submitted, {lost} lost, {self.summary['twice']} told twice")
        return "\n".join(lines)

#!/usr/bin/env python3
"""Searches the models of this folder exhaustively with Spin: what must hold holds, and every broken rule is refuted.

    check.py                  the quick configurations: seconds each, 1 GB of memory at most (ctest `model`)
    check.py --all            every configuration: about an hour alone on the machine, and 10 GB of memory for the largest;
                              one that takes more than 30 minutes of search is told as incomplete, and the rest goes on
    check.py NAME...          these
    check.py --list           their names, and what each is

Prints a line each: name, verdict, states, depth, memory, time. Exit 1 when one is not as it must be. Needs Debian's spin and gcc.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
MINUTES = 30  # of search, a configuration


class Configuration(NamedTuple):
    name: str
    model: str
    flags: str        # of the model; what they mean stands at its head
    holds: bool       # or refuted
    quick: bool
    memory: int       # megabytes


def holds(name, flags, quick=False, model="failover.pml", memory=10_000):
    return Configuration(name, model, flags, True, quick, 1000 if quick else memory)


def refuted(name, flags, quick=True, model="failover.pml", memory=3000):
    return Configuration(name, model, flags, False, quick, 1000 if quick else memory)


CONFIGURATIONS = [
    holds("small", "-DMAXE=2 -DMAXL=1 -DMAXC=1", quick=True),
    holds("small, asked early", "-DEARLY_ASK -DMAXE=2 -DMAXL=1 -DMAXC=2", quick=True),
    holds("small, damage by claim", "-DDAMAGE -DCLAIM -DMAXE=2 -DMAXL=1 -DMAXC=0", quick=True),
    holds("small, claim given up", "-DDAMAGE -DCLAIM -DDROP -DMAXE=2 -DMAXL=1 -DMAXC=1", quick=True),
    holds("small, adopting", "-DADOPT -DMAXE=2 -DMAXL=1 -DMAXC=1", quick=True),
    holds("small, damage by repair", "-DDAMAGE -DMAXE=2 -DMAXL=1 -DMAXC=0", quick=True),
    holds("small, held acknowledged at once", "-DHELD_ACK -DMAXE=2 -DMAXL=1 -DMAXC=2", quick=True),
    refuted("plain bully", "-DPLAIN_BULLY"),
    refuted("plain bully, unique epochs", "-DPLAIN_BULLY -DUNIQUE_EPOCH"),
    refuted("no majority", "-DNO_MAJORITY"),
    refuted("forgotten vote", "-DFORGET_VOTE"),
    refuted("two votes", "-DTWO_VOTES -DMAXE=2 -DMAXL=1"),
    refuted("rank ignored", "-DNO_RANK"),
    refuted("early acknowledgement", "-DACK_EARLY"),
    refuted("own copy unsynced", "-DLEAD_EARLY"),
    refuted("old life's votes", "-DEARLY_ASK -DNO_CANDIDACY -DMAXE=2 -DMAXL=1 -DMAXC=1"),
    refuted("damaged tail carried on", "-DDAMAGE -DNO_REPAIR"),
    refuted("claim given up on one word", "-DDAMAGE -DCLAIM -DDROP -DDROP_ONE -DMAXE=2 -DMAXL=1 -DMAXC=1"),
    refuted("claim given up at once", "-DDAMAGE -DCLAIM -DDROP -DDROP_AT_ONCE -DMAXE=2 -DMAXL=1 -DMAXC=1"),
    refuted("old epoch counted", "-DOLD_COMMIT -DMAXE=4 -DMAXL=1 -DMAXC=0", quick=False),
    refuted("stale repair goal", "-DDAMAGE -DSTALE_REPAIR -DMAXC=0", quick=False),
    refuted("adopting a worse journal", "-DADOPT -DADOPT_ANY -DMAXC=0", quick=False),
    holds("3 epochs, 2 slots, 1 crash", ""),
    holds("2 epochs, 2 slots, 1 crash, asked early", "-DEARLY_ASK -DMAXE=2 -DMAXL=2 -DMAXC=1"),
    holds("3 epochs, 1 slot, 1 crash, asked early", "-DEARLY_ASK -DMAXE=3 -DMAXL=1 -DMAXC=1"),
    holds("3 epochs, 1 slot, 1 crash, held acknowledged at once", "-DHELD_ACK -DMAXE=3 -DMAXL=1 -DMAXC=1"),
    holds("2 epochs, 2 slots, 1 crash, held acknowledged at once", "-DHELD_ACK -DMAXE=2 -DMAXL=2 -DMAXC=1"),
    holds("2 epochs, 3 slots, 2 crashes", "-DMAXE=2 -DMAXL=3 -DMAXC=2"),
    holds("3 epochs, 2 slots, 2 crashes", "-DMAXC=2"),
    holds("4 epochs, 1 slot, 2 crashes", "-DMAXE=4 -DMAXL=1 -DMAXC=2"),
    holds("damage by repair", "-DDAMAGE -DMAXC=0"),
    holds("damage by claim", "-DDAMAGE -DCLAIM -DMAXC=0"),
    holds("damage by claim, given up", "-DDAMAGE -DCLAIM -DDROP -DMAXL=1 -DMAXC=0"),
    holds("damage by claim, given up, 2 slots", "-DDAMAGE -DCLAIM -DDROP -DMAXE=2 -DMAXC=0"),
    holds("adopting", "-DADOPT -DMAXC=0"),
    holds("damage by claim, adopting", "-DDAMAGE -DCLAIM -DADOPT -DMAXL=1 -DMAXC=1"),
    holds("textbook bully, only crashes", "", quick=True, model="bully.pml"),
    refuted("textbook bully, a partition", "-DPARTITION", model="bully.pml"),
    refuted("textbook bully, a pause", "-DPAUSE", model="bully.pml"),
    holds("sessions", "", quick=True, model="session.pml"),
    refuted("sessions, no dedup", "-DNO_DEDUP", model="session.pml"),
    refuted("sessions, accepted when appended", "-DACK_APPEND", model="session.pml"),
    refuted("sessions, numbers by push", "-DRSEQ_PUSH", model="session.pml"),
    refuted("sessions, a push lost", "-DDROP_PUSH", model="session.pml"),
    refuted("sessions, worker forgets", "-DFORGET_WORKER", model="session.pml"),
]


def run(command, folder):
    return subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False).stdout


def search(configuration):
    """(verdict, line): the verdict is "holds", "refuted" or what went wrong."""
    # Breadth first finds the shortest counterexample; what holds is searched depth first, which takes less memory.
    breadth = not configuration.holds and configuration.model == "failover.pml"
    kind = "-DBFS" if breadth else "-DHC4"
    hidden = "-Dhidden= " if breadth else ""
    with tempfile.TemporaryDirectory(prefix="model-") as folder:
        shutil.copy(HERE / configuration.model, Path(folder) / "m.pml")
        began = time.monotonic()
        generated = run(f"spin -a {hidden}{configuration.flags} m.pml".split(), folder)
        if not (Path(folder) / "pan.c").exists():
            return "no verifier", generated
        compiled = run(f"gcc -O2 -w -DSAFETY {kind} -DMEMLIM={configuration.memory} -o pan pan.c".split(), folder)
        if not (Path(folder) / "pan").exists():
            return "no verifier", compiled
        out = run(["./pan", "-m100000", f"-Q{MINUTES}"], folder)
        seconds = time.monotonic() - began
    states = re.search(r"([\d.e+]+) states, stored", out)
    depth = re.search(r"depth reached (\d+)", out)
    errors = re.search(r"errors: (\d+)", out)
    memory = re.search(r"([\d.]+)\s+total actual memory", out)
    incomplete = re.search(r"max search depth too small|out of memory|Search not completed", out)
    verdict = "incomplete"
    if errors and int(errors.group(1)) > 0:
        verdict = "refuted"
    elif errors and not incomplete:
        verdict = "holds"
    found = "\t".join(match.group(1) if match else "-" for match in (states, depth, memory))
    return verdict, f"{configuration.name}\t{verdict}\t{found} MB\t{seconds:.1f} s"


def main(arguments):
    if arguments == ["--list"]:
        for one in CONFIGURATIONS:
            print(f"{one.name}\t{'holds' if one.holds else 'refuted'}\t{'quick' if one.quick else ''}\t{one.model} {one.flags}")
        return 0
    chosen = [one for one in CONFIGURATIONS if one.name in arguments or arguments == ["--all"] or (not arguments and one.quick)]
    if not chosen:
        print(f"check.py: no configuration is called {arguments[0]}; see --list", file=sys.stderr)
        return 2
    failed = 0
    print("configuration\tverdict\tstates\tdepth\tmemory\ttime")
    for one in chosen:
        verdict, line = search(one)
        as_it_must = verdict == ("holds" if one.holds else "refuted")
        print(line if as_it_must else f"{line}\t<- must be {'holds' if one.holds else 'refuted'}", flush=True)
        failed += not as_it_must
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

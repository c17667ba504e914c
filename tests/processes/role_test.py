#!/usr/bin/env python3
"""Roles: which one a machine can carry, from what is measured, in a container too."""

import os
import subprocess
import unittest
from pathlib import Path

from cluster import BIN, ClusterTest, wait_until

CGROUPS = Path("/sys/fs/cgroup")


class ControlGroup:
    """A control group of this test's own, of version 1 or 2; None from make() where none may be made."""

    def __init__(self, folders):
        self.folders = folders

    @classmethod
    def make(cls, memory_bytes):
        name = f"cidbus-test-{os.getpid()}"
        unified = not (CGROUPS / "memory").is_dir()
        folder = (CGROUPS if unified else CGROUPS / "memory") / name
        try:
            folder.mkdir()
            (folder / ("memory.max" if unified else "memory.limit_in_bytes")).write_text(str(memory_bytes), "ascii")
            return cls([folder])
        except OSError:
            if folder.is_dir():
                folder.rmdir()
            return None

    def run(self, *command):
        enter = "".join(f"echo $$ > {folder}/cgroup.procs && " for folder in self.folders)
        return subprocess.run(["sh", "-c", enter + 'exec "$@"', "sh", *map(str, command)], capture_output=True, text=True,
                              check=False, timeout=60)

    @staticmethod
    def is_removed(folder):
        try:
            folder.rmdir()
        except OSError:  # busy for a moment after its last process
            pass
        return not folder.is_dir()

    def close(self):
        for folder in self.folders:
            wait_until(lambda: self.is_removed(folder), f"{folder} is empty")  # pylint: disable=cell-var-from-loop


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


if __name__ == "__main__":
    unittest.main()

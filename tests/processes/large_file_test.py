"""A file that is larger than any program's memory may be: added and read in bounded memory, with a progress bar."""

import fcntl
import hashlib
import os
import pty
import struct
import subprocess
import termios
import unittest
from pathlib import Path

from cluster import BIN, ClusterTest

BLOCK = 1 << 20
SIZE = 192 << 20
MOST_RESIDENT = 128 << 20  # two thirds of it; 256 MiB are promised whatever the size


class LargeFile(ClusterTest):
    def large_file(self):
        """SIZE bytes, no two blocks alike; (path, sha256)."""
        path, whole, filling = self.folder / "large", hashlib.sha256(), os.urandom(BLOCK - 8)
        with open(path, "wb") as file:
            for number in range(SIZE // BLOCK):
                block = number.to_bytes(8, "big") + filling
                file.write(block)
                whole.update(block)
        return path, whole.hexdigest()

    def run_measured(self, cluster, *arguments, **options):
        """What the command wrote (its sha256, when it is much) and the most memory it had."""
        whole, last = hashlib.sha256(), b""
        # pylint: disable=consider-using-with
        process = subprocess.Popen([BIN / "cidbus", "--brokers", cluster.broker_address, "--cluster", cluster.name,
                                    *map(str, arguments)], stdout=subprocess.PIPE, **options)
        while piece := process.stdout.read(BLOCK):
            whole.update(piece)
            last = piece
        process.stdout.close()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 0, f"cidbus {arguments}")
        self.assertLess(usage.ru_maxrss << 10, MOST_RESIDENT, f"cidbus {arguments}")
        return last.decode("ascii", "replace").strip(), whole.hexdigest()

    def most_resident(self, cluster, name):
        status = Path(f"/proc/{cluster.running[name].pid}/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmHWM:"))

    def terminal(self):
        """(ours, theirs) of one with 80 columns."""
        ours, theirs = pty.openpty()
        for end in (ours, theirs):
            self.addCleanup(os.close, end)
        os.set_blocking(ours, False)
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        return ours, theirs

    def test_no_program_holds_it_in_memory(self):
        cluster = self.start_cluster(workers=1)
        path, content = self.large_file()
        ours, theirs = self.terminal()
        cid, _ = self.run_measured(cluster, "add", path, "--output", "quiet", stderr=theirs)
        self.assertRegex(os.read(ours, 1 << 16).decode(), r"adding  \[=*>? *\] +\d+ %", "how far it is")
        self.assertEqual(self.run_measured(cluster, "cat", cid)[1], content)
        self.run_measured(cluster, "get", cid, "-o", self.folder / "copy")
        with open(self.folder / "copy", "rb") as copy:
            self.assertEqual(hashlib.file_digest(copy, "sha256").hexdigest(), content)
        self.run_measured(cluster, "stat", cid)
        for name in ("b1", "w1"):
            self.assertLess(self.most_resident(cluster, name), MOST_RESIDENT, name)


if __name__ == "__main__":
    unittest.main()

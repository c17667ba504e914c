"""The journal of a broker that does not run: verified, shown, and repaired as far as that goes."""

import re
import subprocess
import unittest

from cluster import BIN, PATIENCE_SECONDS, ClusterTest, Done


class JournalTool(ClusterTest):
    def journal(self, *arguments):
        command = [BIN / "cidbus-broker", "journal", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
        return Done(["journal", *arguments], done.returncode, done.stdout, done.stderr)

    def test_a_damaged_broker_is_told_where_cut_on_request_and_runs_again(self):
        cluster = self.start_cluster(workers=1)
        first = cluster.ask("submit", "echo", "--wait")["id"]
        second = cluster.ask("submit", "echo", "--wait")["id"]
        folder = cluster.data_folder("b1")
        self.assert_fails(self.journal("verify", folder), 75, "in use")
        cluster.stop("w1")
        cluster.stop("b1")
        whole = self.journal("verify", folder)
        self.assertEqual(whole.code, 0, str(whole))
        self.assertIn("whole", whole.out)

        dump = self.journal("dump", folder)
        self.assertEqual(dump.code, 0, str(dump))
        submits = [line for line in dump.out.splitlines() if " SUBMIT " in line]
        self.assertEqual(len(submits), 2, dump.out)
        self.assertRegex(submits[0], r"^\d+ epoch=1 time=\S+ SUBMIT session=\w+ seq=1 type='echo'")

        # One bit of the batch that holds the second submission; the first and all before it stay readable.
        index = int(submits[1].split()[0])
        self.flip_a_bit(folder / "journal" / "segment-0000000001", self.offset_of(folder, index))
        verified = self.journal("verify", folder)
        self.assertEqual(verified.code, 65, str(verified))
        self.assertIn("(damaged)", verified.out)
        broker = subprocess.run(cluster.command("b1"), capture_output=True, text=True, timeout=PATIENCE_SECONDS,
                                check=False)
        self.assertEqual(broker.returncode, 65, broker.stderr)
        self.assertIn("journal repair --help", broker.stderr)

        cut = self.journal("repair", folder, "--cut")
        self.assertEqual(cut.code, 0, str(cut))
        self.assertIn("are lost", cut.out)
        cluster.start("b1", "w1")
        self.assertEqual(cluster.ask("task", "show", first)["state"], "completed")
        self.assertNotEqual(cluster.cidbus("task", "show", second).code, 0)
        self.assertEqual(cluster.ask("submit", "echo", "--wait")["state"], "completed")

    def offset_of(self, folder, index):
        """Where the batch with this record lies, by what a flipped bit in each sector makes `verify` say."""
        segment = folder / "journal" / "segment-0000000001"
        for offset in range(2 << 20, (2 << 20) + 64 * 512, 512):
            self.flip_a_bit(segment, offset + 45)
            said = self.journal("verify", folder).out
            self.flip_a_bit(segment, offset + 45)
            damaged = re.search(r"at (\d+): records? (\d+)(?: to (\d+))?: .*\(damaged\)", said)
            if damaged and int(damaged[2]) <= index <= int(damaged[3] or damaged[2]):
                return int(damaged[1]) + 45
        raise AssertionError(f"no batch with record {index} in {segment}")

    @staticmethod
    def flip_a_bit(path, offset):
        with open(path, "r+b") as file:
            file.seek(offset)
            byte = file.read(1)[0]
            file.seek(offset)
            file.write(bytes([byte ^ 1]))

    def test_wrong_usage_is_one_line(self):
        self.assert_fails(self.journal("verify", self.folder), 2, "no broker's data folder", "--data")
        self.assert_fails(self.journal("repair", self.folder), 2, "--from", "--cut")
        self.assert_fails(self.journal("mend", self.folder), 2)


if __name__ == "__main__":
    unittest.main()

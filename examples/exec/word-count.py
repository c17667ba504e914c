#!/usr/bin/python3
"""word-count.py FILE N: the N most frequent words of a text, one a line, as often as they occur.

As a program for cidbus it needs nothing special: it reads a file, writes to standard output, and says with its exit
code how it went: 0 done, 75 worth another try, anything else failed.
"""

import collections
import re
import sys

path, wanted = sys.argv[1], sys.argv[2]
if not wanted.isdigit():
    sys.exit(f"top must be a whole number, not {wanted!r}")
counts = collections.Counter()
with open(path, encoding="utf-8", errors="replace") as text:
    for line in text:
        counts.update(re.findall(r"\w+", line.lower()))
for word, count in sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))[:int(wanted)]:
    print(f"{count:7} {word}")

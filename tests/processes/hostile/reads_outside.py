#!/usr/bin/python3
"""Looks for what is none of its business, and says what it could read."""
import glob
import os

wanted = ["/etc/shadow", "/etc/passwd", "/etc/hostname", "/root", "/home", "/var", "/proc/1/root/etc/shadow",
          "/proc/1/root/task/../etc/passwd", "/sys", "/boot", os.environ["PARAM_folder"]]
for path in wanted + glob.glob("/proc/*/cwd/../../etc/passwd"):
    try:
        found = os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(20)
        print("read", path, found)
    except OSError:
        pass
with open("/task/output", "w", encoding="ascii") as output:
    output.write("done")

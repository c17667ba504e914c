#!/usr/bin/python3
"""Writes wherever it can until nothing takes more; says how much that was, in bytes."""
import os

written = 0
for number, folder in enumerate(["/task", "/tmp", "/dev/shm", "/", "/usr", "/usr/tmp", "/etc", "/dev", "/var/tmp", "/run"]):
    try:
        with open(f"{folder}/fill{number}", "wb", buffering=0) as file:
            while True:
                written += file.write(bytes(1 << 20))
    except OSError as error:
        print(folder, error.strerror)
print("written", written)
os._exit(1)

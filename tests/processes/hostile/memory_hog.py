#!/usr/bin/python3
"""Takes memory in every process it may have."""
import os
import time

for _ in range(3):
    os.fork()
held = []
while True:
    try:
        held.append(os.urandom(1 << 20))
    except MemoryError:
        time.sleep(0.01)

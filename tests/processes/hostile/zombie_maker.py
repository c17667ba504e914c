#!/usr/bin/python3
"""Makes children that end at once and never asks how."""
import os

made = 0
try:
    while True:
        if os.fork() == 0:
            os._exit(0)
        made += 1
except OSError:
    print("zombies:", made)

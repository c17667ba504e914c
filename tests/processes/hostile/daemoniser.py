#!/usr/bin/python3
"""Leaves a process of its own session behind that would run for ever, and ends well."""
import os
import time

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True:
            time.sleep(0.1)
    os._exit(0)
print("left one behind")

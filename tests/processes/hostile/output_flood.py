#!/usr/bin/python3
"""Writes to standard output and standard error for ever."""
import os

line = b"x" * 65535 + b"\n"
while True:
    os.write(2, line)
    os.write(1, line)

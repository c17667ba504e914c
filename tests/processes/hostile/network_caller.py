#!/usr/bin/python3
"""Calls out: to the broker on this machine, to another one, to a name. Fails when any of it answers."""
import os
import socket
import sys

answered = False
for host, port in [("127.0.0.1", int(os.environ["PARAM_port"])), ("10.0.0.1", 80), ("1.1.1.1", 53)]:
    try:
        socket.create_connection((host, port), timeout=2)
        print(host, "answered")
        answered = True
    except OSError as error:
        print(host, error.strerror or error)
try:
    print("a name:", socket.gethostbyname("deb.debian.org"))
    answered = True
except OSError:
    print("no names")
sys.exit(1 if answered else 0)

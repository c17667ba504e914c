"""Clusters in the test's own process, on ports of its own, in a folder that is gone afterwards."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "processes"))
os.environ["CIDBUS_CONFIG"] = "/dev/null"  # the tester's own settings are none of a test's business

from cluster import Ports  # noqa: E402  pylint: disable=wrong-import-position
from cidbus.cluster import ClusterCoordinator  # noqa: E402  pylint: disable=wrong-import-position


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture(name="address")
def address_fixture():
    ports = Ports()
    yield f"127.0.0.1:{ports.base}"
    ports.close()


@pytest.fixture(name="master")
def master_fixture(address):
    with ClusterCoordinator("home", "m1", is_master=True, address=address) as master:
        master.create_cluster()
        yield master

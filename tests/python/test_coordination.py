"""cidbus.cluster.distributed_coordination."""

import json
import subprocess
import sys
import threading

import pytest
from cluster import BIN, PHOTOGRAPH, Ports, wait_until

from cidbus.cluster.distributed_coordination import ClusterCoordinator, MembershipManager


def ended(node, task_id):
    def look():
        status = node.get_task_status(task_id)
        return status if status["status"] not in ("pending", "assigned", "processing") else None
    return wait_until(look, f"task {task_id} has ended")


@pytest.fixture(name="worker")
def worker_fixture(master):
    with ClusterCoordinator("home", "w1", drain=5) as worker:
        worker.join_cluster("home", master.address)
        yield worker


def test_a_handler_gets_the_dict_that_was_submitted_and_its_dict_is_the_result(master, worker):
    seen = []
    worker.register_task_handler("sum", lambda task: seen.append(task) or {"sum": sum(task["numbers"]), "none": None})
    task = {"type": "sum", "numbers": [1, 2.5, -3], "deep": {"text": "grüß\n", "yes": True}, "parameters": {"n": 1}}
    status = ended(master, master.submit_task(task))
    assert status["status"] == "completed"
    assert status["result"] == {"sum": 0.5, "none": None}
    assert status["assigned_to"] == "w1"
    assert status["submitted_at"] <= status["assigned_at"] <= status["completed_at"]
    assert seen == [task]


def test_an_exception_is_the_reason_of_a_failed_task(master, worker):
    def refuse(task):
        raise ValueError(f"no such colour: {task['colour']}")
    worker.register_task_handler("paint", refuse)
    status = ended(master, master.submit_task({"type": "paint", "colour": "octarine"}))
    assert status["status"] == "failed"
    assert status["error"] == "ValueError: no such colour: octarine"
    assert status["result"] is None
    worker.register_task_handler("odd", lambda task: {"bytes": b"no"})
    assert "bytes cannot" in ended(master, master.submit_task({"type": "odd"}))["error"]


def test_an_image_is_really_resized(master, worker):  # pylint: disable=unused-argument
    added = subprocess.run([BIN / "cidbus", "add", PHOTOGRAPH, "--copies", "1", "--brokers", master.address, "--cluster", "home"],
                           check=True, capture_output=True, text=True, timeout=120)
    cid = added.stdout.split()[0]
    task = {"type": "process_content", "cid": cid, "parameters": {"transform": "resize"}}
    status = ended(master, master.submit_task(task))
    assert status["status"] == "completed", status
    assert status["result"]["values"]["width"] == "320"
    narrower = {"type": "process_content", "cid": cid, "parameters": {"transform": "resize", "width": 64}}
    assert ended(master, master.submit_task(narrower))["result"]["values"]["width"] == "64"
    assert status["result"]["cid"] != cid
    bad = ended(master, master.submit_task({"type": "process_content", "cid": "not-a-cid", "parameters": {"transform": "resize"}}))
    assert bad["status"] == "failed"
    assert "not-a-cid" in bad["error"]


def test_handlers_run_side_by_side_and_callers_wait_without_the_gil(master, worker):
    both = threading.Barrier(2, timeout=60)
    worker.register_task_handler("meet", lambda task: {"met": both.wait() >= 0})
    ids = [master.submit_task({"type": "meet"}) for _ in range(2)]
    assert [ended(master, task_id)["result"] for task_id in ids] == [{"met": True}] * 2


def test_tasks_can_be_submitted_from_many_threads(master, worker):
    worker.register_task_handler("double", lambda task: {"n": 2 * task["n"]})
    results = {}

    def one(number):
        results[number] = ended(master, master.submit_task({"type": "double", "n": number}))["result"]["n"]
    threads = [threading.Thread(target=one, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {number: 2 * number for number in range(20)}


def test_a_lone_master_takes_what_it_cannot_run_yet(master):
    task_id = master.submit_task({"type": "later", "n": 1})
    assert master.get_task_status(task_id)["status"] == "pending"
    assert master.get_task_status("t99999")["status"] == "unknown"
    master.register_task_handler("later", lambda task: {"n": task["n"] + 1})
    assert ended(master, task_id)["result"] == {"n": 2}


def test_proposals_are_decided_and_in_force(master):
    proposal = master.propose_change("config_change", {"key": "heartbeat_interval", "value": 0.5})
    status = wait_until(lambda: (s := master.get_proposal_status(proposal))["status"] != "pending" and s, "it is decided")
    assert status["status"] == "accepted"
    assert status["votes"]["positive"] == status["votes"]["total"] == 1
    assert status["proposed_at"] > 1.6e9
    assert status["id"] == proposal
    assert master.vote_on_proposal(proposal, "m1", True) is True
    assert master.vote_on_proposal(proposal, "m1", False) is False
    assert master.get_cluster_status()["configuration"]["heartbeat_interval"] == "500ms"
    unknown = master.get_proposal_status("77")
    assert (unknown["status"], unknown["votes"]["total"], unknown["type"]) == ("unknown", 0, None)
    assert set(unknown) == set(master.get_proposal_status(proposal))
    with pytest.raises(ValueError, match="there are heartbeat_interval"):
        master.propose_change("config_change", {"key": "hartbeat", "value": 1})


def all_have_a_say(address):
    """Whether what each standby holds counts at the leader: one that came late is brought up first."""
    done = subprocess.run([BIN / "cidbus", "cluster", "status", "--brokers", address, "--cluster", "home", "--output", "json"],
                          capture_output=True, text=True, timeout=60, check=False)
    return done.returncode == 0 and all(broker["lag"] in (0, None) for broker in json.loads(done.stdout)["brokers"])


def test_masters_of_a_group_lead_on_when_one_is_gone():
    ports = [Ports() for _ in range(3)]
    addresses = [f"127.0.0.1:{port.base}" for port in ports]
    group = ",".join(f"m{number}={address}/{4 - number}" for number, address in enumerate(addresses, 1))
    masters = [ClusterCoordinator("home", f"m{number}", is_master=True, group=group) for number in (1, 2, 3)]
    try:
        starting = [threading.Thread(target=one.create_cluster) for one in masters[:2]]
        for thread in starting:
            thread.start()
        for thread in starting:
            thread.join()
        masters[2].join_cluster("home", addresses[0])
        assert [one.address for one in masters] == addresses
        with ClusterCoordinator("home", "w1") as worker:
            worker.register_task_handler("echo2", lambda task: {"n": task["n"]})
            worker.join_cluster("home", addresses[2])
            assert ended(worker, masters[2].submit_task({"type": "echo2", "n": 1}))["result"] == {"n": 1}
            wait_until(lambda: all_have_a_say(addresses[0]), "the two that stay are a majority")
            leader = wait_until(lambda: masters[1].get_cluster_status()["leader"], "somebody leads")
            gone = next(one for one in masters if one.get_cluster_status()["node_id"] == leader)
            gone.shutdown()
            left = [one for one in masters if one is not gone]
            task_id = left[0].submit_task({"type": "echo2", "n": 2})
            assert ended(left[1], task_id)["result"] == {"n": 2}
            status = left[1].get_cluster_status()
            assert status["leader"] != leader
            assert {broker["node_id"] for broker in status["brokers"]} == {"m1", "m2", "m3"}
    finally:
        for one in masters:
            one.shutdown()
        for port in ports:
            port.close()
    with pytest.raises(ValueError, match="a master creates its cluster"):
        ClusterCoordinator("home", "m4", is_master=True).join_cluster("home", addresses[0])
    with pytest.raises(ValueError, match="does not name this node"):
        ClusterCoordinator("home", "m4", is_master=True, group=group).create_cluster()


def test_with_keys_every_node_shows_its_own(address, tmp_path):
    for name, role in (("m1", "master"), ("w1", "worker"), ("w2", "worker")):
        subprocess.run([BIN / "cidbus", "keygen", name, "--role", role, "--dir", tmp_path], check=True, capture_output=True)
    (tmp_path / "allow").write_text("".join((tmp_path / f"{name}.pub").read_text() for name in ("m1", "w1")))
    keys = {"allow_file": tmp_path / "allow"}
    with ClusterCoordinator("home", "m1", is_master=True, address=address, key_file=tmp_path / "m1.key", **keys) as master, \
            ClusterCoordinator("home", "w1", key_file=tmp_path / "w1.key", **keys) as worker:
        master.create_cluster()
        worker.register_task_handler("double", lambda task: {"n": 2 * task["n"]})
        worker.join_cluster("home", address)
        assert ended(master, master.submit_task({"type": "double", "n": 2}))["result"] == {"n": 4}
        for name, key in (("w2", "w2.key"), ("w3", None)):
            stranger = ClusterCoordinator("home", name, key_file=key and tmp_path / key, election_timeout=2, **keys)
            with pytest.raises((PermissionError, ConnectionError, ValueError)):
                stranger.join_cluster("home", address)


def test_what_is_no_text_is_told_and_costs_nothing(master):
    with pytest.raises(ValueError, match="surrogates not allowed"):
        master.submit_task({"type": "a", "text": "\ud800"})
    assert master.get_task_status("t99999")["status"] == "unknown"


def test_members_come_and_go(master):
    told = []
    members = MembershipManager(cluster_id="home", node_id="v1", membership_callback=lambda *change: told.append(change))
    leaders = []
    with members, ClusterCoordinator("home", "v1", membership_manager=members,
                                     leadership_callback=lambda *change: leaders.append(change)) as visitor:
        visitor.join_cluster("home", master.address)
        wait_until(lambda: {member["node_id"] for member in members.get_active_members()} == {"m1", "v1"}, "both are there")
        status = visitor.get_cluster_status()
        assert (status["leader"], status["is_leader"], status["cluster_id"]) == ("m1", False, "home")
        assert master.get_cluster_status()["is_leader"] is True
        with ClusterCoordinator("home", "w2") as other:
            other.join_cluster("home", master.address)
            wait_until(lambda: members.get_member_count()["active"] == 3, "a third one is there")
        wait_until(lambda: members.get_member_count()["departed"] == 1, "it has left")
        assert members.get_departed_members()[0]["node_id"] == "w2"
    assert (leaders[0], leaders[-1]) == (("m1", False), ("", False))
    assert "w2" in {member["node_id"] for _, member in told}


def test_heartbeats_by_hand(tmp_path):  # pylint: disable=unused-argument
    with MembershipManager("home", "n1", heartbeat_interval=0.1, node_timeout=0.3) as members:
        assert members.handle_heartbeat("w1", {"role": "worker", "load": 0.5})
        assert members.handle_heartbeat({"node_id": "w2", "role": "gateway"})
        assert members.get_member_count() == {"active": 3, "departed": 0, "total": 3}
        assert {member["node_id"] for member in members.get_active_members()} == {"n1", "w1", "w2"}
        wait_until(lambda: members.get_member_count() == {"active": 1, "departed": 2, "total": 3}, "silence is noticed")
        with pytest.raises(PermissionError):
            members.handle_heartbeat({"node_id": "w3", "cluster_id": "elsewhere"})


def test_bad_input_is_told_in_a_line(master):
    for wrong, says in (({"cid": "x"}, "under 'type'"), ({"type": "two words"}, "cannot be a task type"),
                        ({"type": "a", "n": 1 << 70}, "beyond 64 bits"), ({"type": "a", "priority": "high"}, "priority is high")):
        with pytest.raises(ValueError, match=says):
            master.submit_task(wrong)
    with pytest.raises(TypeError, match="set cannot"):
        master.submit_task({"type": "a", "set": {1}})
    with pytest.raises(TypeError):
        master.submit_task("echo")
    with pytest.raises(TypeError):
        master.register_task_handler("a", "no function")
    with pytest.raises(ValueError, match="create or join one first"):
        ClusterCoordinator("home", "w9").submit_task({"type": "a"})
    with pytest.raises(ConnectionError, match="127.0.0.1:1"):
        ClusterCoordinator("home", "w9", election_timeout=0.2).join_cluster("home", "127.0.0.1:1")
    with pytest.raises(PermissionError):
        ClusterCoordinator("away", "w9").join_cluster("away", master.address)


def test_a_program_that_forgets_to_shut_down_ends_all_the_same(address, tmp_path):
    program = f"""
from cidbus.cluster import ClusterCoordinator, ClusterMonitor, MembershipManager
members = MembershipManager("home", "m1")
master = ClusterCoordinator("home", "m1", True, leadership_callback=print, membership_manager=members, address="{address}")
master.create_cluster()
master.register_task_handler("a", lambda task: task)
monitor = ClusterMonitor("m1", coordinator=master, check_interval=0.05)
print(master.submit_task({{"type": "a"}}))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""

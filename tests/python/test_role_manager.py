"""cidbus.cluster.role_manager."""

import pytest
from cluster import wait_until

from cidbus.cluster.distributed_coordination import ClusterCoordinator
from cidbus.cluster.role_manager import NodeRole, RoleManager

STRONG = {"memory_available_mb": 8192, "disk_available_gb": 100, "cpu_count": 8}
WEAK = {"memory_available_mb": 600, "disk_available_gb": 2, "cpu_count": 1}


def test_roles_have_values_and_names_in_any_case():
    assert [role.value for role in NodeRole] == ["master", "worker", "leecher", "gateway", "observer"]
    assert NodeRole.from_string("MASTER") is NodeRole.MASTER
    assert NodeRole.from_string("Leecher") is NodeRole.LEECHER
    with pytest.raises(ValueError, match="master, worker, leecher, gateway and observer"):
        NodeRole.from_string("slave")


def test_a_role_is_detected_or_kept():
    assert RoleManager(resources=STRONG).role is NodeRole.WORKER
    assert RoleManager(resources=WEAK).role is NodeRole.LEECHER
    assert RoleManager("master", resources=WEAK).role is NodeRole.MASTER
    assert RoleManager(initial_role=NodeRole.GATEWAY).role is NodeRole.GATEWAY
    with pytest.raises(ValueError, match="memory"):
        RoleManager(resources={"memory_available_mb": 1, "disk_available_gb": 1})


def test_capabilities_and_configuration():
    node = RoleManager(NodeRole.WORKER, resources=STRONG, metadata={"site": "attic"}, node_id="n1")
    assert node.can_handle_capability("persistent_storage") is True
    assert node.can_handle_capability("levitation") is False
    config = node.get_role_config()
    assert set(config) == {"description", "required_resources", "capabilities", "config_overrides"}
    config["capabilities"].clear()
    assert node.get_role_config()["capabilities"], "it was a copy"
    info = node.get_node_info()
    assert set(info) >= {"node_id", "cluster_id", "role", "resources", "capabilities", "uptime"}
    assert (info["node_id"], info["role"], info["metadata"]) == ("n1", "worker", {"site": "attic"})


def test_switching_says_which_factor_stands_against_it():
    changes = []
    node = RoleManager(resources={**STRONG, "memory_available_mb": 1500}, configuration_callback=changes.append)
    assert node.switch_role(NodeRole.OBSERVER) is True
    assert node.role is NodeRole.OBSERVER
    assert [(change["old_role"], change["new_role"]) for change in changes] == [(None, "worker"), ("worker", "observer")]
    with pytest.raises(PermissionError, match="memory"):
        node.switch_role("master")
    with pytest.raises(PermissionError, match="switching is off"):
        RoleManager(resources=STRONG, role_switching_enabled=False).switch_role("leecher")


def test_a_cluster_of_managed_roles(address):
    with RoleManager("master", node_id="m1", settings={"listen": address}) as master:
        master.create_cluster("home")
        assert master.address == address
        with RoleManager("worker", node_id="n1", resources=STRONG) as node:
            node.join_cluster(cluster_id="home", master_address=address)
            assert master.is_peer_authorized("n1") is True
            assert master.is_peer_authorized("n1", NodeRole.GATEWAY) is False
            assert [peer["node_id"] for peer in master.discover_peers()] == ["n1"]
            assert node.get_cluster_status()["leader"] == "m1"
            with pytest.raises(PermissionError, match="last worker"):
                node.switch_role("gateway")
        assert master.is_peer_authorized("n1") is False


def test_a_role_is_assigned_to_a_peer_by_word_and_by_vote(address):
    changes = []
    nodes = []

    def heard(change):  # on the node's own thread, while the change is waited for
        changes.append(change)
        for known in nodes:
            assert known.role.value == known.get_node_info()["role"] == change["new_role"]
    with RoleManager("master", node_id="m1", settings={"listen": address}) as master, \
            RoleManager("worker", node_id="n1", resources=STRONG, configuration_callback=heard) as node, \
            RoleManager("worker", node_id="n2", resources=STRONG, role_switching_enabled=False) as fixed:
        with pytest.raises(ValueError, match="create or join one first"):
            master.assign_role_to_peer("n1", NodeRole.GATEWAY)
        master.create_cluster("home")
        node.join_cluster("home", address)
        nodes.append(node)
        with pytest.raises(PermissionError, match="last worker"):
            master.assign_role_to_peer("n1", NodeRole.GATEWAY)
        fixed.join_cluster("home", address)
        assert master.assign_role_to_peer(peer_id="n1", role=NodeRole.GATEWAY) is True
        assert node.role is NodeRole.GATEWAY
        assert (changes[-1]["old_role"], changes[-1]["new_role"]) == ("worker", "gateway")
        with pytest.raises(PermissionError, match="there is no node 'n9'"):
            master.assign_role_to_peer("n9", "worker")
        with pytest.raises(PermissionError, match="a worker and nothing else"):
            master.assign_role_to_peer("n2", "leecher", force=True)
        with pytest.raises(ValueError, match="is no role"):
            master.assign_role_to_peer("n1", "slave")
        with ClusterCoordinator("home", "c1") as voter:
            voter.join_cluster("home", address)
            with pytest.raises(ValueError, match="is no role"):
                voter.propose_change("role_change", {"node_id": "n1", "role": "slave"})
            proposal = voter.propose_change("role_change", {"node_id": "n1", "role": "worker"})
            wait_until(lambda: node.role is NodeRole.WORKER, "the vote is carried out")
            status = voter.get_proposal_status(proposal)
            assert (status["type"], status["status"]) == ("role_change", "accepted")
            assert status["data"] == {"node_id": "n1", "role": "worker"}
        assert node.switch_role("leecher") is True
        assert {peer["node_id"]: peer["role"] for peer in master.discover_peers() if peer["state"] == "alive"}["n1"] == "leecher"

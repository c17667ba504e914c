"""The cluster library: nodes of a cidbus cluster inside one's program.

    from cidbus.cluster import ClusterCoordinator

    with ClusterCoordinator("home", "m1", is_master=True) as master:
        master.create_cluster()
        print(master.submit_task({"type": "echo", "parameters": {"hello": "world"}}))
"""

from .distributed_coordination import ClusterCoordinator, MembershipManager
from .monitoring import ClusterMonitor, MetricsCollector
from .role_manager import NodeRole, RoleManager

__all__ = ["ClusterCoordinator", "ClusterMonitor", "MembershipManager", "MetricsCollector", "NodeRole", "RoleManager"]

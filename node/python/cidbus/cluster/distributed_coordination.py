"""Tasks, members and votes: a node of a cluster inside one's program."""

from . import _native
from ._running import Running


class MembershipManager(_native.MembershipManager, Running):
    """Who is in a cluster, by heartbeats; given to a ClusterCoordinator, by what the leader says of every node.

    membership_callback(state, member) is called at each change: joining, alive, suspect, left, dead.
    """

    order = 3

    def __init__(self, cluster_id, node_id, heartbeat_interval=30, node_timeout=90, membership_callback=None):
        super().__init__(cluster_id, node_id, heartbeat_interval, node_timeout, membership_callback)
        self._started()

    def handle_heartbeat(self, heartbeat, info=None):
        """A dict with "node_id", "role", ...; or the node's name and the rest of it. PermissionError for another cluster's."""
        if isinstance(heartbeat, str):
            heartbeat = {**(info or {}), "node_id": heartbeat}
        super().handle_heartbeat(heartbeat)
        return True


class ClusterCoordinator(_native.ClusterCoordinator, Running):
    """A node that submits tasks, runs those it has handlers for, proposes, votes, and knows who leads.

    A master runs a broker in this process, at `address` (default 127.0.0.1:9096, or the next free ports); the others join
    one and run the standard task types too. leadership_callback(leader, is_self) is called at each change. `data` is the
    folder of journal and blocks, by default below ~/.local/state/cidbus/library. `group` names several masters, the same at
    each ("m1=127.0.0.1:9096/2,m2=127.0.0.1:9196/1,..."), of which others lead on when one is gone. Without key_file and
    allow_file (`cidbus keygen`) it speaks to 127.0.0.1 alone.
    """

    def __init__(self, cluster_id, node_id, is_master=False, election_timeout=30, leadership_callback=None,
                 membership_manager=None, *, address=None, data=None, slots=2, drain=30, group=None, key_file=None,
                 allow_file=None, exchange=None):
        super().__init__({
            "cluster_id": cluster_id, "node_id": node_id, "is_master": bool(is_master), "election_timeout": election_timeout,
            "leadership_callback": leadership_callback, "membership_manager": membership_manager, "address": address or "",
            "data": str(data or ""), "slots": slots, "drain": drain, "group": group or "", "key_file": str(key_file or ""),
            "allow_file": str(allow_file or ""), "exchange": exchange or "127.0.0.1:*"})
        self._keeps = membership_manager  # it is there as long as this is, and is shut down after it
        self.order = 2 if is_master else 1  # a worker hands back what it has while its broker is there
        self._started()

    def create_cluster(self, cluster_id=None):
        """Starts the broker; returns once it leads."""
        super().create_cluster(cluster_id or "")
        return True

    def join_cluster(self, cluster_id, master_address):
        """Returns once this node is a member. ConnectionError when nobody answers within election_timeout."""
        super().join_cluster(cluster_id, master_address)
        return True

    def register_task_handler(self, task_type, handler):
        """handler(task) gets the dict that was submitted, and returns a dict or raises."""
        super().register_task_handler(task_type, handler)
        return True

    def propose_change(self, change_type, data):
        """config_change with {"key", "value"}, role_change with {"node_id", "role"}, membership_change with {"node_id",
        "action"}; gives the proposal's id."""
        return super().propose_change(change_type, data)

    def vote_on_proposal(self, proposal_id, node_id, vote):
        """In the place of a node that has not voted; whether it counts, or is what came out."""
        return super().vote_on_proposal(str(proposal_id), node_id, bool(vote))

    def get_proposal_status(self, proposal_id):
        """{"id", "type", "status", "proposed_at", "proposed_by", "votes", ...}; status "unknown" for one that is not known."""
        return super().get_proposal_status(str(proposal_id))


__all__ = ["ClusterCoordinator", "MembershipManager"]

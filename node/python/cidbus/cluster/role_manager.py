"""Which role a node has, whether its machine can carry it, and the role itself, run in this process."""

import enum

from . import _native
from ._running import Running


class NodeRole(enum.Enum):
    """What a node is for."""

    MASTER = "master"
    WORKER = "worker"
    LEECHER = "leecher"
    GATEWAY = "gateway"
    OBSERVER = "observer"

    @classmethod
    def from_string(cls, text):
        """In any case; a ValueError lists the roles there are."""
        return cls(_native.canonical_role(text))

    def __str__(self):
        return self.value


def _text(role):
    return role.value if isinstance(role, NodeRole) else role


class RoleManager(_native.RoleManager, Running):
    """A node in a role: detected, or as it is asked for.

    configuration_callback(change) is called with {"old_role", "new_role", "config"}; cluster_discovery_callback() gives
    [{"cluster_id", "address"}]. `settings` are flags of the role's program, such as {"http": "127.0.0.1:8080"}. Without
    key_file and allow_file (`cidbus keygen`) it speaks to 127.0.0.1 alone.
    """

    order = 1

    def __init__(self, initial_role=None, resources=None, metadata=None, auto_detect=True, role_switching_enabled=True,
                 configuration_callback=None, cluster_discovery_callback=None, *, node_id=None, data=None, settings=None,
                 key_file=None, allow_file=None):
        super().__init__({
            "initial_role": _text(initial_role), "resources": resources or {}, "metadata": metadata or {},
            "auto_detect": bool(auto_detect), "role_switching_enabled": bool(role_switching_enabled),
            "configuration_callback": configuration_callback, "cluster_discovery_callback": cluster_discovery_callback,
            "node_id": node_id or "", "data": str(data or ""), "settings": settings or {},
            "key_file": str(key_file or ""), "allow_file": str(allow_file or "")})
        self._started()

    @property
    def role(self):
        """The NodeRole it has."""
        return NodeRole(super().role)

    def switch_role(self, role):
        """PermissionError, naming what stands against it, when the role is not changed."""
        super().switch_role(_text(role))
        return True

    def create_cluster(self, cluster_id="cidbus"):
        """A master: starts its broker; returns once it leads."""
        super().create_cluster(cluster_id)
        return True

    def join_cluster(self, cluster_id, master_address):
        """All others: starts the role; returns once it is a member."""
        super().join_cluster(cluster_id, master_address)
        return True

    def assign_role_to_peer(self, peer_id, role, force=False):
        """Changes the role of another node; returns once it is in it. PermissionError says why it may not be."""
        super().assign_role_to_peer(peer_id, _text(role), bool(force))
        return True

    def authenticate_peer(self, peer_id, public_key):
        """Whether the key is one that the allow-list gives to this name; LookupError without a list."""
        return super().authenticate_peer(peer_id, public_key)

    def is_peer_authorized(self, peer_id, role=None):
        """By the allow-list; without one, whether it is a member now."""
        return super().is_peer_authorized(peer_id, _text(role))


__all__ = ["NodeRole", "RoleManager"]

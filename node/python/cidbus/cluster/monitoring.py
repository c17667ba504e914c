"""Measuring a node, and judging it and its cluster."""

from . import _native
from ._running import Running


class MetricsCollector(_native.MetricsCollector, Running):
    """Measures now and then what its sources say, and remembers it; with metrics_dir, on disk."""

    order = 3

    def __init__(self, node_id, metrics_dir=None, collection_interval=60, retention_days=7):
        super().__init__(node_id, str(metrics_dir or ""), collection_interval, retention_days)
        self._started()


class ClusterMonitor(_native.ClusterMonitor, Running):
    """Judges now and then whether all is well, and raises alerts: of this node, and of the cluster of a coordinator.

    alert_callback(alert) is called when one is raised, becomes critical, and is over; not at every check.
    """

    order = 0

    def __init__(self, node_id, metrics_collector=None, check_interval=60, alert_callback=None, *, coordinator=None):
        super().__init__(node_id, metrics_collector, check_interval, alert_callback, coordinator)
        self._asks = metrics_collector, coordinator  # as long as this is there, they are, and are shut down after it
        self._started()

    def get_node_health(self, node_id=None):
        """{"node_id", "status", "issues", "last_check"}; this node without a name."""
        return super().get_node_health(node_id or "")

    def set_alert_threshold(self, metric, warning=None, critical=None):
        """At or above; without both, none any more."""
        super().set_alert_threshold(metric, warning, critical)
        return True


__all__ = ["ClusterMonitor", "MetricsCollector"]

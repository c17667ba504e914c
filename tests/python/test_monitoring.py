"""cidbus.cluster.monitoring."""

import gc

import pytest
from cluster import wait_until

from cidbus.cluster import _running
from cidbus.cluster.monitoring import ClusterMonitor, MetricsCollector


def test_current_historical_and_aggregated_metrics():
    with MetricsCollector("n1", collection_interval=3600) as metrics:
        values = iter(range(1, 100))
        metrics.register_metric_source("queue", lambda: {"length": next(values), "name": "q"})
        current = [metrics.get_current_metrics() for _ in range(4)]
        assert [one["queue"]["length"] for one in current] == sorted(one["queue"]["length"] for one in current)
        assert current[0]["queue"]["name"] == "q"
        assert 0 <= current[0]["system"]["memory_percent"] <= 100
        history = metrics.get_historical_metrics("1h")
        assert len(history["timestamps"]) == len(history["metrics"]["queue.length"]) >= 4
        assert history["timestamps"] == sorted(history["timestamps"])
        figures = metrics.get_aggregated_metrics("30m")["queue.length"]
        assert set(figures) == {"avg", "min", "max", "current", "p50", "p95", "p99"}
        assert figures["current"] == figures["max"] == current[-1]["queue"]["length"]
        with pytest.raises(ValueError, match="no timeframe"):
            metrics.get_historical_metrics("soon")


def test_a_source_that_raises_costs_only_itself():
    def broken():
        raise KeyError("gone")
    with MetricsCollector("n1", collection_interval=3600) as metrics:
        metrics.register_metric_source("broken", broken)
        metrics.register_metric_source("good", lambda: {"n": 1})
        current = metrics.get_current_metrics()
        assert current["good"] == {"n": 1}
        assert current["errors"] == {"broken": "KeyError: 'gone'"}


def test_a_folder_is_made_and_read_again(tmp_path):
    with MetricsCollector("n1", metrics_dir="~/made/metrics", collection_interval=3600) as metrics:
        metrics.register_metric_source("n", lambda: {"value": 42})
        metrics.get_current_metrics()
        with pytest.raises(RuntimeError):
            MetricsCollector("n2", metrics_dir=tmp_path / "made/metrics")
    assert (tmp_path / "made/metrics").is_dir(), "the home is the test's"
    del metrics
    with MetricsCollector("n1", metrics_dir=tmp_path / "made/metrics", collection_interval=3600) as again:
        assert again.get_aggregated_metrics("1h")["n.value"]["max"] == 42


def test_alerts_are_told_once_and_when_they_are_over():
    heat = [20]
    told = []
    with MetricsCollector("n1", collection_interval=3600) as metrics:
        metrics.register_metric_source("engine", lambda: {"heat": heat[0]})
        with ClusterMonitor("n1", metrics, check_interval=3600,
                            alert_callback=lambda alert: alert["type"] == "engine.heat" and told.append(alert)) as monitor:
            for metric in ("cpu_percent", "memory_percent", "disk_percent"):
                monitor.set_alert_threshold(metric)
            monitor.set_alert_threshold("engine.heat", warning=80, critical=95)
            monitor.clear_alerts()
            told.clear()
            assert monitor.get_cluster_health()["status"] == "healthy"
            heat[0] = 99
            for _ in range(3):
                health = monitor.get_cluster_health()
            assert set(health) >= {"status", "issues", "last_check", "node_statuses", "alerts"}
            assert health["status"] == "critical"
            assert len(health["alerts"]) == len(monitor.get_alerts()) == 1
            assert monitor.get_node_health()["status"] == "critical"
            heat[0] = 20
            assert monitor.get_cluster_health()["status"] == "healthy"
            assert monitor.get_alerts() == []
            wait_until(lambda: len(told) == 2, "both are told")
            assert [alert["level"] for alert in told] == ["critical", "resolved"]
            assert set(told[0]) == {"timestamp", "source", "node_id", "level", "type", "message"}
            assert monitor.get_alert_history() == told


def test_what_a_monitor_is_given_lives_as_long_as_it_does():
    with ClusterMonitor("n1", MetricsCollector("n1", collection_interval=3600), check_interval=3600) as monitor:
        gc.collect()
        assert [one for one in _running._running if isinstance(one, MetricsCollector)], "it is shut down at the end"
        del monitor
    gc.collect()
    assert not [one for one in _running._running if isinstance(one, (ClusterMonitor, MetricsCollector))]


def test_the_cluster_of_a_coordinator_is_judged(master):
    with ClusterMonitor("m1", coordinator=master, check_interval=3600) as monitor:
        for metric in ("cpu_percent", "memory_percent", "disk_percent"):
            monitor.set_alert_threshold(metric)
        health = monitor.get_cluster_health()
        assert "m1" in health["node_statuses"]
        master.submit_task({"type": "nobody"})
        wait_until(lambda: monitor.get_cluster_health()["status"] == "critical", "a task that nobody can run is seen")
        assert any("worker" in issue for issue in monitor.get_cluster_health()["issues"])
        assert monitor.get_alerts()[0]["source"] == "health"

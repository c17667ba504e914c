#!/usr/bin/python3
"""A cluster by hand, a shell a node: the same as cluster_management_example.cpp, in Python.

    export PYTHONPATH=build/release/python
    examples/cluster_management_example.py --role master --cluster home --master 127.0.0.1:9096 --node-id m1
    examples/cluster_management_example.py --role worker --cluster home --master 127.0.0.1:9096 --node-id w1
    examples/cluster_management_example.py --role leecher --cluster home --master 127.0.0.1:9096 --node-id l1
"""

import argparse
import signal
import sys
import threading

try:
    from cidbus.cluster import ClusterCoordinator, ClusterMonitor, NodeRole, RoleManager
except ModuleNotFoundError as problem:
    sys.exit(f"cluster_management_example: {problem}; set PYTHONPATH=build/release/python, or install cidbus")

interrupted = threading.Event()
FAULTS = (LookupError, OSError, RuntimeError, ValueError)  # what the library raises


def parse():
    parser = argparse.ArgumentParser(description="A node of a cluster, in any role, until Ctrl+C.")
    parser.add_argument("--role", default="worker", choices=[role.value for role in NodeRole])
    parser.add_argument("--cluster", default="example")
    parser.add_argument("--master", default="127.0.0.1:9096", metavar="HOST:PORT")
    parser.add_argument("--node-id", required=True)
    parser.add_argument("--data", default="", metavar="FOLDER", help="default: below ~/.local/state/cidbus")
    return parser.parse_args()


def say(line, what):
    print(f"{line.node_id}: {what}", flush=True)


def seconds():
    """Counts once a second until Ctrl+C."""
    second = 0
    while not interrupted.is_set():
        second += 1
        yield second
        interrupted.wait(1)


def print_role(line, node):
    """What this machine is good for, and how the role is set."""
    info = node.get_node_info()
    say(line, f"role {info['role']}, capabilities {info['capabilities']}")
    for role, fit in info["roles"].items():
        say(line, f"  as {role}: score {fit['score']:.2f}, limited by {fit['limit']}")
    say(line, f"  set to {node.get_role_config()['config_overrides']}")


def print_health(line, health):
    say(line, f"cluster is {health['status']}, {len(health['node_statuses'])} nodes")
    for issue in health["issues"]:
        say(line, f"  {issue}")


def count_words(task):
    return {"words": len(task["text"].split())}


def tell_ended(line, node, tasks):
    """Tells what came of tasks, and returns those that are still open."""
    still_open = []
    for task_id in tasks:
        try:
            task = node.get_task_status(task_id)
        except FAULTS:  # nobody leads just now
            still_open.append(task_id)
            continue
        if task["completed_at"] is None:
            still_open.append(task_id)
        else:
            say(line, f"task {task_id} {task['status']} on {task['assigned_to']}: {task['result'] or task['error']}")
    return still_open


def give_task(line, node, second):
    """The task's id in a list; empty when there is no worker, or the cluster does not take it."""
    members = node.get_cluster_status()["members"]
    if not any(member["role"] == "worker" and member["state"] == "alive" for member in members):
        say(line, "waiting for a worker")
        return []
    try:
        task_id = node.submit_task({"type": "count_words", "text": f"task of second {second}"})
    except FAULTS as problem:
        say(line, problem)
        return []
    say(line, f"task {task_id} submitted")
    return [task_id]


def run_coordinator(line):
    is_master = line.role == "master"

    def leadership(leader, is_self):
        say(line, f"{leader or 'nobody'} leads{', and that is this node' if is_self else ''}")

    with ClusterCoordinator(line.cluster, line.node_id, is_master=is_master, leadership_callback=leadership, data=line.data,
                            address=line.master if is_master else None) as node:
        if is_master:
            node.create_cluster()
        else:
            node.register_task_handler("count_words", count_words)
            node.join_cluster(line.cluster, line.master)
        say(line, f"in cluster {line.cluster} at {node.address}")
        with ClusterMonitor(line.node_id, coordinator=node,
                            alert_callback=lambda alert: say(line, f"alert, {alert['level']}: {alert['message']}")) as monitor:
            tasks = []
            for second in seconds():
                if is_master:
                    tasks = tell_ended(line, node, tasks) + give_task(line, node, second)
                if second % 5 == 1:
                    print_health(line, monitor.get_cluster_health())


def run_role(line, node):
    node.join_cluster(line.cluster, line.master)
    say(line, f"in cluster {line.cluster} at {node.address}")
    for second in seconds():
        if second % 5 == 1:
            cluster = node.get_cluster_status()
            say(line, f"{cluster['leader']} leads, tasks {cluster.get('tasks')}")
            for member in cluster["members"]:
                say(line, f"  {member['role']} {member['node_id']} is {member['state']}")


def main():
    line = parse()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: interrupted.set())
    try:
        with RoleManager(line.role, node_id=line.node_id, data=line.data) as role:
            print_role(line, role)
            if line.role in ("master", "worker"):
                run_coordinator(line)
            else:
                run_role(line, role)
    except FAULTS as problem:
        print(f"cluster_management_example: {problem}", file=sys.stderr)
        return 69 if isinstance(problem, ConnectionError) else 1
    say(line, "stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())

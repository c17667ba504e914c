// cidbus.cluster._native: the classes of include/cidbus/cluster/ for Python. The package beside it
// (node/python/cidbus/cluster) gives them their names, defaults and documentation.
//
// The GIL is released wherever a call waits, and taken for every function of Python's that the library calls.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "cidbus/cluster/cluster_monitor.h"
#include "cidbus/cluster/coordinator.h"
#include "cidbus/cluster/membership_manager.h"
#include "cidbus/cluster/metrics_collector.h"
#include "cidbus/cluster/role_manager.h"
#include "node/python/callbacks.h"
#include "node/python/convert.h"

namespace cidbus_python {
namespace {

namespace py = pybind11;
using cidbus::ClusterCoordinator;
using cidbus::ClusterMonitor;
using cidbus::Dict;
using cidbus::MembershipManager;
using cidbus::MetricsCollector;
using cidbus::RoleManager;
using cidbus::Seconds;
using cidbus::Value;

template <typename Use>
auto without_gil(const Use& use) {
  const py::gil_scoped_release released;
  return use();
}

// Made without the GIL, and destroyed so: both wait for threads that may want it.
template <typename T, typename Options>
std::shared_ptr<T> make(Options options) {
  T* const made = without_gil([&] { return new T(std::move(options)); });
  return std::shared_ptr<T>(made, [](T* held) {
    if (PyGILState_Check() == 0) {
      delete held;
      return;
    }
    const py::gil_scoped_release released;
    delete held;
  });
}

py::object told(const Dict& dict) { return to_python(Value(dict)); }
py::object told(const cidbus::List& list) { return to_python(Value(list)); }

// A callback that gets one dict.
std::function<void(const Dict&)> taking_dict(const py::object& function) {
  const Callback callback(function);
  if (!callback) return {};
  return [callback](const Dict& dict) { callback.call([&] { return py::make_tuple(told(dict)); }); };
}

void bind_membership(py::module_& module) {
  py::class_<MembershipManager, std::shared_ptr<MembershipManager>>(module, "MembershipManager")
      .def(py::init([](const std::string& cluster_id, const std::string& node_id, double heartbeat_interval,
                       double node_timeout, const py::object& membership_callback) {
        cidbus::MembershipOptions options{
            cluster_id, node_id, Seconds(heartbeat_interval), Seconds(node_timeout), {}};
        if (const Callback callback(membership_callback); callback)
          options.membership_callback = [callback](const std::string& state, const Dict& member) {
            callback.call([&] { return py::make_tuple(state, told(member)); });
          };
        return make<MembershipManager>(std::move(options));
      }))
      .def("handle_heartbeat",
           [](MembershipManager& self, const py::object& heartbeat) {
             const Dict dict = to_dict(heartbeat);
             without_gil([&] { unwrap(self.handle_heartbeat(dict)); });
           })
      .def("get_active_members",
           [](const MembershipManager& self) {
             return told(without_gil([&] { return self.get_active_members(); }));
           })
      .def("get_departed_members",
           [](const MembershipManager& self) {
             return told(without_gil([&] { return self.get_departed_members(); }));
           })
      .def("get_member_count",
           [](const MembershipManager& self) {
             return told(without_gil([&] { return self.get_member_count(); }));
           })
      .def("shutdown", &MembershipManager::shutdown, py::call_guard<py::gil_scoped_release>());
}

cidbus::CoordinatorOptions coordinator_options(const py::dict& given) {
  cidbus::CoordinatorOptions options;
  options.cluster_id = given["cluster_id"].cast<std::string>();
  options.node_id = given["node_id"].cast<std::string>();
  options.is_master = given["is_master"].cast<bool>();
  options.election_timeout = Seconds(given["election_timeout"].cast<double>());
  options.membership_manager = given["membership_manager"].cast<std::shared_ptr<MembershipManager>>();
  options.address = given["address"].cast<std::string>();
  options.data = given["data"].cast<std::string>();
  options.slots = given["slots"].cast<unsigned>();
  options.drain = Seconds(given["drain"].cast<double>());
  options.group = given["group"].cast<std::string>();
  options.key_file = given["key_file"].cast<std::string>();
  options.allow_file = given["allow_file"].cast<std::string>();
  options.exchange = given["exchange"].cast<std::string>();
  if (const Callback callback(given["leadership_callback"]); callback)
    options.leadership_callback = [callback](const std::string& leader, bool is_self) {
      callback.call([&] { return py::make_tuple(leader, is_self); });
    };
  return options;
}

void register_handler(ClusterCoordinator& self, const std::string& type, const py::object& function) {
  const Callback callback(function);
  if (!callback) throw py::type_error("a function is wanted, not None");
  without_gil([&] {
    unwrap(self.register_task_handler(type, [callback](const Dict& task) {
      return callback.ask([&] { return py::make_tuple(told(task)); });
    }));
  });
}

void bind_coordinator(py::module_& module) {
  using Guard = py::call_guard<py::gil_scoped_release>;
  py::class_<ClusterCoordinator, std::shared_ptr<ClusterCoordinator>>(module, "ClusterCoordinator")
      .def(py::init(
          [](const py::dict& given) { return make<ClusterCoordinator>(coordinator_options(given)); }))
      .def(
          "create_cluster",
          [](ClusterCoordinator& self, const std::string& cluster_id) {
            unwrap(self.create_cluster(cluster_id));
          },
          Guard())
      .def(
          "join_cluster",
          [](ClusterCoordinator& self, const std::string& cluster_id, const std::string& address) {
            unwrap(self.join_cluster(cluster_id, address));
          },
          Guard())
      .def_property_readonly("address", &ClusterCoordinator::address)
      .def("submit_task",
           [](ClusterCoordinator& self, const py::object& task) {
             const Dict dict = to_dict(task);
             return without_gil([&] { return unwrap(self.submit_task(dict)); });
           })
      .def("get_task_status",
           [](ClusterCoordinator& self, const std::string& id) {
             return told(without_gil([&] { return unwrap(self.get_task_status(id)); }));
           })
      .def("register_task_handler", &register_handler)
      .def("propose_change",
           [](ClusterCoordinator& self, const std::string& type, const py::object& data) {
             const Dict dict = to_dict(data);
             return without_gil([&] { return unwrap(self.propose_change(type, dict)); });
           })
      .def(
          "vote_on_proposal",
          [](ClusterCoordinator& self, const std::string& id, const std::string& node, bool yes) {
            return unwrap(self.vote_on_proposal(id, node, yes));
          },
          Guard())
      .def("get_proposal_status",
           [](ClusterCoordinator& self, const std::string& id) {
             return told(without_gil([&] { return unwrap(self.get_proposal_status(id)); }));
           })
      .def("get_cluster_status",
           [](ClusterCoordinator& self) {
             return told(without_gil([&] { return self.get_cluster_status(); }));
           })
      .def("get_health",
           [](ClusterCoordinator& self) { return told(without_gil([&] { return self.get_health(); })); })
      .def("shutdown", &ClusterCoordinator::shutdown, Guard());
}

void bind_metrics(py::module_& module) {
  py::class_<MetricsCollector, std::shared_ptr<MetricsCollector>>(module, "MetricsCollector")
      .def(py::init([](const std::string& node_id, const std::string& metrics_dir, double collection_interval,
                       int retention_days) {
        auto made = make<MetricsCollector>(
            cidbus::MetricsOptions{node_id, metrics_dir, Seconds(collection_interval), retention_days});
        unwrap(made->status());
        return made;
      }))
      .def("register_metric_source",
           [](MetricsCollector& self, const std::string& name, const py::object& function) {
             const Callback callback(function);
             if (!callback) throw py::type_error("a function is wanted, not None");
             without_gil([&] {
               self.register_metric_source(
                   name, [callback] { return callback.ask([] { return py::make_tuple(); }); });
             });
           })
      .def("get_current_metrics",
           [](MetricsCollector& self) {
             return told(without_gil([&] { return self.get_current_metrics(); }));
           })
      .def("get_historical_metrics",
           [](MetricsCollector& self, const std::string& timeframe) {
             return told(without_gil([&] { return unwrap(self.get_historical_metrics(timeframe)); }));
           })
      .def("get_aggregated_metrics",
           [](MetricsCollector& self, const std::string& timeframe) {
             return told(without_gil([&] { return unwrap(self.get_aggregated_metrics(timeframe)); }));
           })
      .def("shutdown", &MetricsCollector::shutdown, py::call_guard<py::gil_scoped_release>());
}

void bind_monitor(py::module_& module) {
  py::class_<ClusterMonitor, std::shared_ptr<ClusterMonitor>>(module, "ClusterMonitor")
      .def(py::init([](const std::string& node_id, std::shared_ptr<MetricsCollector> metrics_collector,
                       double check_interval, const py::object& alert_callback,
                       std::shared_ptr<ClusterCoordinator> coordinator) {
        return make<ClusterMonitor>(
            cidbus::MonitorOptions{node_id, std::move(metrics_collector), Seconds(check_interval),
                                   taking_dict(alert_callback), std::move(coordinator)});
      }))
      .def("get_cluster_health",
           [](ClusterMonitor& self) { return told(without_gil([&] { return self.get_cluster_health(); })); })
      .def("get_node_health",
           [](ClusterMonitor& self, const std::string& node) {
             return told(without_gil([&] { return self.get_node_health(node); }));
           })
      .def(
          "set_alert_threshold",
          [](ClusterMonitor& self, const std::string& metric, std::optional<double> warning,
             std::optional<double> critical) { unwrap(self.set_alert_threshold(metric, warning, critical)); },
          py::call_guard<py::gil_scoped_release>())
      .def("get_alerts",
           [](ClusterMonitor& self) { return told(without_gil([&] { return self.get_alerts(); })); })
      .def("get_alert_history",
           [](ClusterMonitor& self) { return told(without_gil([&] { return self.get_alert_history(); })); })
      .def("clear_alerts", &ClusterMonitor::clear_alerts, py::call_guard<py::gil_scoped_release>())
      .def("shutdown", &ClusterMonitor::shutdown, py::call_guard<py::gil_scoped_release>());
}

cidbus::RoleManagerOptions role_options(const py::dict& given) {
  cidbus::RoleManagerOptions options;
  if (!given["initial_role"].is_none())
    options.initial_role = unwrap(cidbus::node_role_from_string(given["initial_role"].cast<std::string>()));
  options.node_id = given["node_id"].cast<std::string>();
  options.resources = to_dict(given["resources"]);
  options.metadata = to_dict(given["metadata"]);
  options.auto_detect = given["auto_detect"].cast<bool>();
  options.role_switching_enabled = given["role_switching_enabled"].cast<bool>();
  options.configuration_callback = taking_dict(given["configuration_callback"]);
  options.data = given["data"].cast<std::string>();
  options.settings = to_dict(given["settings"]);
  options.key_file = given["key_file"].cast<std::string>();
  options.allow_file = given["allow_file"].cast<std::string>();
  if (const Callback callback(given["cluster_discovery_callback"]); callback)
    options.cluster_discovery_callback = [callback] {
      auto found = callback.ask_list();
      return found ? *std::move(found) : cidbus::List{};
    };
  return options;
}

void bind_roles(py::module_& module) {
  using Guard = py::call_guard<py::gil_scoped_release>;
  module.def("canonical_role", [](const std::string& text) {
    return std::string(cidbus::to_text(unwrap(cidbus::node_role_from_string(text))));
  });
  py::class_<RoleManager, std::shared_ptr<RoleManager>>(module, "RoleManager")
      .def(py::init([](const py::dict& given) {
        auto made = make<RoleManager>(role_options(given));
        unwrap(made->status());
        return made;
      }))
      .def_property_readonly(
          "role", [](const RoleManager& self) { return std::string(cidbus::to_text(self.role())); }, Guard())
      .def_property_readonly("address", &RoleManager::address, Guard())
      .def(
          "can_handle_capability",
          [](const RoleManager& self, const std::string& name) { return self.can_handle_capability(name); },
          Guard())
      .def("get_role_config",
           [](const RoleManager& self) { return told(without_gil([&] { return self.get_role_config(); })); })
      .def("get_node_info",
           [](const RoleManager& self) { return told(without_gil([&] { return self.get_node_info(); })); })
      .def(
          "switch_role",
          [](RoleManager& self, const std::string& role) {
            unwrap(self.switch_role(unwrap(cidbus::node_role_from_string(role))));
          },
          Guard())
      .def(
          "create_cluster", [](RoleManager& self, const std::string& id) { unwrap(self.create_cluster(id)); },
          Guard())
      .def(
          "join_cluster",
          [](RoleManager& self, const std::string& id, const std::string& address) {
            unwrap(self.join_cluster(id, address));
          },
          Guard())
      .def("get_cluster_status",
           [](RoleManager& self) { return told(without_gil([&] { return self.get_cluster_status(); })); })
      .def("discover_peers",
           [](RoleManager& self) { return told(without_gil([&] { return unwrap(self.discover_peers()); })); })
      .def(
          "assign_role_to_peer",
          [](RoleManager& self, const std::string& peer, const std::string& role, bool force) {
            unwrap(self.assign_role_to_peer(peer, unwrap(cidbus::node_role_from_string(role)), force));
          },
          Guard())
      .def(
          "authenticate_peer",
          [](const RoleManager& self, const std::string& peer, const std::string& key) {
            return unwrap(self.authenticate_peer(peer, key));
          },
          Guard())
      .def(
          "is_peer_authorized",
          [](RoleManager& self, const std::string& peer, const std::optional<std::string>& role) {
            std::optional<cidbus::NodeRole> wanted;
            if (role) wanted = unwrap(cidbus::node_role_from_string(*role));
            return unwrap(self.is_peer_authorized(peer, wanted));
          },
          Guard())
      .def("shutdown", &RoleManager::shutdown, Guard());
}

}  // namespace
}  // namespace cidbus_python

PYBIND11_MODULE(_native, module) {
  cidbus_python::bind_membership(module);
  cidbus_python::bind_coordinator(module);
  cidbus_python::bind_metrics(module);
  cidbus_python::bind_monitor(module);
  cidbus_python::bind_roles(module);
}

#include <CLI/CLI.hpp>
#include <iostream>

#include "bench/sessions/worker_sessions.h"

int main(int argc, char** argv) {
  std::string brokers = "127.0.0.1:9096";
  std::string cluster = "cidbus";
  std::size_t sessions = 2000;
  std::uint32_t tasks = 20'000;
  bool heartbeats = false;
  CLI::App app("Many workers in one process, which answer echo tasks; until it is killed.", "sessions");
  app.add_option("--brokers", brokers, "HOST:PORT of the broker (127.0.0.1:9096)");
  app.add_option("--cluster", cluster, "The cluster's name (cidbus)");
  app.add_option("--sessions", sessions, "Workers (2000)")->check(CLI::Range(1, 16000));
  app.add_option("--tasks", tasks, "Tasks that all of them together may be sent at once (20000)")
      ->check(CLI::PositiveNumber);
  app.add_flag("--heartbeats", heartbeats,
               "Each says once a second how it is and what it measures, as a worker does");
  CLI11_PARSE(app, argc, argv);
  const auto each = std::clamp<std::size_t>(tasks / sessions, 1, 4000);
  cidbus::WorkerSessions workers(cluster, sessions, static_cast<std::uint32_t>(each));
  if (const auto connected = workers.connect(brokers, heartbeats); !connected) {
    std::cerr << "sessions: " << connected.error().message << '\n';
    return 2;
  }
  while (true) workers.turn();
}

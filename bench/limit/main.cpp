#include <CLI/CLI.hpp>
#include <iostream>
#include <thread>

#include "bench/limit/broker.h"
#include "bench/limit/client.h"
#include "bench/limit/worker.h"

namespace {

using namespace cidbus;

struct Settings {
  limit::Load load;
  std::size_t workers = 2;
  std::size_t sessions = 0;
  bool json = false;
};

LoadResult measure(const Settings& settings) {
  limit::Broker broker(settings.load.batch);
  std::thread broker_thread([&] { broker.run(); });
  std::vector<std::unique_ptr<limit::Workers>> workers;
  std::vector<std::thread> threads;
  const std::size_t programs = settings.sessions > 0 ? 1 : settings.workers;
  for (std::size_t program = 0; program < programs; ++program) {
    const std::size_t sessions = std::max<std::size_t>(settings.sessions, 1);
    workers.push_back(
        std::make_unique<limit::Workers>(broker.worker_address(), sessions, settings.load.batch));
    threads.emplace_back([worker = workers.back().get()] { worker->run(); });
  }
  LoadResult result = limit::run_client(broker.client_address(), settings.load);
  for (const auto& worker : workers) worker->stop();
  for (std::thread& thread : threads) thread.join();
  broker.stop();
  broker_thread.join();
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  settings.load.tasks = 1'000'000;
  settings.load.window = 1000;
  CLI::App app("The yardstick: what a ROUTER/ROUTER broker reaches that does nothing but carry tasks.",
               "limit");
  app.add_option("--tasks", settings.load.tasks, "Tasks in all (1000000)")->check(CLI::PositiveNumber);
  app.add_option("--window", settings.load.window, "Tasks in flight (1000)")->check(CLI::PositiveNumber);
  app.add_option("--payload", settings.load.payload, "Bytes a task (100)");
  app.add_option("--batch", settings.load.batch, "Tasks a message, at most (100)")
      ->check(CLI::PositiveNumber);
  app.add_option("--workers", settings.workers, "Worker threads, a connection each (2)")
      ->check(CLI::PositiveNumber);
  app.add_option("--sessions", settings.sessions, "Instead: so many connections on one worker thread");
  app.add_flag("--json", settings.json, "One JSON object instead of a line");
  CLI11_PARSE(app, argc, argv);
  const LoadResult result = measure(settings);
  std::cout << (settings.json ? to_json(result) : to_line(result)) << '\n';
}

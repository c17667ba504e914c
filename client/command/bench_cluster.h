// A cluster of its own for a measurement: brokers and workers that run beside this program on free ports of
// this machine, in a temporary folder, and are gone with it.
//
// Invariants: 1. No process and no file of it outlives the object; the processes do not outlive this program
// either, however that ends. 2. Nobody but this machine reaches it.
//
// Thread rule: one owner, and the thread that started it lives as long. Limits: bench_workers_most.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "client/command/context.h"
#include "shared/core/client_messages.h"

namespace cidbus {

inline constexpr std::uint64_t bench_workers_most = 64;

// What a load runs on, as the leader tells it.
struct Surroundings {
  Durability durability = Durability::Disk;
  std::uint64_t brokers = 0;
  std::uint64_t workers = 0;  // that are alive
  std::uint64_t slots = 0;    // of theirs
};
Result<Surroundings> look_around(Context& context);

class BenchCluster {
 public:
  struct Wish {
    Durability durability = Durability::Disk;  // Quorum: three brokers, otherwise one
    std::uint64_t workers = 2;
  };
  // When all its workers are there. Failed, with what a node said last, when it does not come up.
  static Result<std::unique_ptr<BenchCluster>> start(Context& context, const Wish& wish);
  ~BenchCluster();
  BenchCluster(const BenchCluster&) = delete;
  BenchCluster& operator=(const BenchCluster&) = delete;

  // For a Context that reaches it; the rest is as in the command's own.
  [[nodiscard]] const CommonOptions& common() const { return common_; }

 private:
  struct Node {
    std::string name;
    pid_t process = 0;
  };
  BenchCluster(std::string folder, CommonOptions common);

  Status start_brokers(const std::string& programs, Durability durability);
  Status start_workers(const std::string& programs, std::uint64_t workers);
  Status start_node(const std::string& programs, const std::string& role, const std::string& name,
                    std::vector<std::string> options);
  Status wait_for_workers(Context& context, std::uint64_t workers);
  // What a node that has ended said last.
  Status check_nodes();

  const std::string folder_;
  CommonOptions common_;
  std::vector<Node> nodes_;
};

}  // namespace cidbus

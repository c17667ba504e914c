#include "client/command/address_check.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>

#include "client/command/values.h"
#include "shared/base/result.h"

namespace cidbus {
namespace {

struct FreeAddresses {
  void operator()(addrinfo* found) const { freeaddrinfo(found); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

// 0, or why not, as errno has it.
int connect_to(const addrinfo& address, Duration patience) {
  const int file = socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (file < 0) return errno;
  int error = connect(file, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
  if (error == EINPROGRESS) {
    pollfd ready{file, POLLOUT, 0};
    const auto most = std::max(Duration::zero(), patience) / std::chrono::milliseconds(1);
    socklen_t size = sizeof error;
    if (poll(&ready, 1, static_cast<int>(most)) != 1)
      error = ETIMEDOUT;
    else
      getsockopt(file, SOL_SOCKET, SO_ERROR, &error, &size);
  }
  close(file);
  return error;
}

std::string advice_for(int error) {
  if (error == ECONNREFUSED) return "nobody listens there: start cidbus-broker, or mend --brokers";
  if (error == ETIMEDOUT)
    return "nobody answers: is that machine up, and does a firewall let this port through?";
  return "mend the network on the way, or --brokers";
}

Finding bad(const std::string& name, const std::string& found, const std::string& advice) {
  return {name, Finding::State::Bad, found, advice, exit_code(FaultKind::Unavailable)};
}

}  // namespace

Finding check_address(const std::string& address, Duration patience) {
  const std::string name = "address " + printable(address);
  const auto colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  if (host.starts_with("[") && host.ends_with("]")) host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int unresolved = getaddrinfo(host.c_str(), address.substr(colon + 1).c_str(), &hints, &list);
  if (unresolved != 0) {
    return bad(name, printable(host) + " is not found: " + gai_strerror(unresolved),
               "mend the name in --brokers, or the machine's resolver");
  }
  const Addresses found(list);
  int error = 0;
  for (const addrinfo* next = found.get(); next != nullptr; next = next->ai_next) {
    error = connect_to(*next, patience);
    if (error == 0) return {name, Finding::State::Ok, "somebody listens", "", 1};
  }
  return bad(name, std::generic_category().message(error), advice_for(error));
}

}  // namespace cidbus

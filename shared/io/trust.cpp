#include "shared/io/trust.h"

namespace cidbus {

bool is_loopback(std::string_view address) {
  const std::string_view host = address.substr(0, std::min(address.rfind(':'), address.size()));
  if (host == "localhost" || host == "[::1]") return true;
  // Numbers and dots only: a name may begin as it likes and lead anywhere.
  return host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos;
}

Status may_use(const Trust& trust, std::string_view verb, const std::string& address) {
  if (trust.fault) return tl::unexpected(*trust.fault);
  const bool is_address = address.find(':') != std::string::npos;  // what is none, libzmq refuses
  if (trust.keys != nullptr || trust.insecure || !is_address || is_loopback(address)) return {};
  return fault(FaultKind::NotAllowed,
               "will not " + std::string(verb) + " " + address +
                   " without keys; give --key-file FILE (cidbus keygen makes one), stay on "
                   "127.0.0.1, or say --insecure");
}

}  // namespace cidbus

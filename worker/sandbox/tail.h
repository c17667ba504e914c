// The last bytes of a stream of any length.
//
// Thread rule: one owner. Limits: twice the bytes that are kept.
#pragma once

#include <string>
#include <string_view>

namespace cidbus {

class Tail {
 public:
  explicit Tail(std::size_t bytes) : bytes_(bytes) {}

  void add(std::string_view text) {
    kept_ += text.size() > bytes_ ? text.substr(text.size() - bytes_) : text;
    if (kept_.size() > 2 * bytes_) kept_.erase(0, kept_.size() - bytes_);
  }
  [[nodiscard]] std::string_view text() const {
    const std::string_view all = kept_;
    return all.size() > bytes_ ? all.substr(all.size() - bytes_) : all;
  }

 private:
  std::size_t bytes_;
  std::string kept_;
};

}  // namespace cidbus

// A seeded random generator, handed in wherever chance is needed, so that a seed reproduces a run.
//
// xoshiro256** with splitmix64 seeding (Blackman and Vigna, https://prng.di.unimi.it/). `fork` gives a stream
// of its own for each use (network, disk, workload), so that taking one away leaves the others as they were.
//
// Thread rule: one owner. Limits: not for keys or ids that must not be guessed; io/random.h is.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace cidbus {

class Prng {
 public:
  using result_type = std::uint64_t;

  explicit constexpr Prng(std::uint64_t seed) {
    for (auto& word : state_) {
      seed += 0x9e3779b97f4a7c15ULL;
      std::uint64_t z = seed;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
      z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
      word = z ^ (z >> 31);
    }
  }

  constexpr std::uint64_t operator()() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  // Uniform in [0, bound). REQUIRES: bound > 0. The bias of the multiply-shift is below 2^-32 for bounds up
  // to 2^32.
  constexpr std::uint64_t below(std::uint64_t bound) {
    return static_cast<std::uint64_t>(static_cast<unsigned __int128>((*this)()) * bound >> 64);
  }
  // Uniform in [low, high].
  constexpr std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return low + below(high - low + 1);
  }
  // True with the probability `numerator / denominator`.
  constexpr bool chance(std::uint64_t numerator, std::uint64_t denominator) {
    return below(denominator) < numerator;
  }

  constexpr Prng fork() { return Prng((*this)()); }

  static constexpr std::uint64_t min() { return 0; }
  static constexpr std::uint64_t max() { return ~0ULL; }

 private:
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace cidbus

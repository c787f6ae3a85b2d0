#include "actionclip/distributed/join_ranks.h"

#include <array>
#include <chrono>
#include <memory>
#include <netdb.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

#include <c10/core/impl/VirtualGuardImpl.h>
#include <fmt/format.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "actionclip/core/error.h"

#include "c10d_group.h"

namespace actionclip {
namespace {

using AddressList = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

AddressList resolve_host(const std::string& host, int port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (const int code = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found); code != 0)
    throw Error(fmt::format("cannot find the machine '{}' (MASTER_ADDR): {}", host, gai_strerror(code)));
  return {found, &freeaddrinfo};
}

// This machine's own address on the way to `host`. A machine's name often leads to its loopback address,
// which others cannot reach; a datagram socket that is connected (nothing is sent) tells the one of the right
// network.
std::string local_address_towards(const std::string& host, int port) {
  const auto addresses = resolve_host(host, port);
  for (const auto* address = addresses.get(); address; address = address->ai_next) {
    const int descriptor = socket(address->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) continue;
    sockaddr_storage own{};
    socklen_t size = sizeof(own);
    auto* own_address = reinterpret_cast<sockaddr*>(&own);
    const bool fine = connect(descriptor, address->ai_addr, address->ai_addrlen) == 0 &&
                      getsockname(descriptor, own_address, &size) == 0;
    close(descriptor);
    std::array<char, NI_MAXHOST> name{};
    if (fine && getnameinfo(own_address, size, name.data(), name.size(), nullptr, 0, NI_NUMERICHOST) == 0)
      return name.data();
  }
  throw Error(fmt::format("this machine has no way to '{}' (MASTER_ADDR)", host));
}

c10::intrusive_ptr<c10d::Store> open_store(const LaunchEnvironment& environment,
                                           const DistributedConfig& config) {
  c10d::TCPStoreOptions options;
  options.port = static_cast<std::uint16_t>(environment.master_port);
  options.isServer = environment.hosts_store;
  options.numWorkers = static_cast<std::size_t>(environment.world_size);
  options.waitWorkers = false;  // C10dGroup waits, and names those that do not come
  options.timeout = std::chrono::milliseconds(static_cast<std::int64_t>(config.meeting_timeout * 1000));
  try {
    const auto store = c10::make_intrusive<c10d::TCPStore>(environment.master_address, options);
    if (environment.store_prefix.empty()) return store;
    return c10::make_intrusive<c10d::PrefixStore>(environment.store_prefix, store);
  } catch (const std::exception& problem) {
    const std::string reason = problem.what();
    throw Error(fmt::format(
        "rank {} of {}: cannot {} at {}:{}: {}", environment.rank, environment.world_size,
        options.isServer ? "open the meeting place of the ranks" : "reach rank 0's meeting place",
        environment.master_address, environment.master_port, reason.substr(0, reason.find('\n'))));
  }
}

}  // namespace

std::shared_ptr<ProcessGroup> join_ranks(const std::optional<LaunchEnvironment>& environment,
                                         const DistributedConfig& config, c10::Device device) {
  // What libtorch makes without a device at hand (page-locked memory) is made for the thread's own.
  if (device.is_cuda()) c10::impl::VirtualGuardImpl(device.type()).setDevice(device);
  if (!environment || environment->world_size == 1) return std::make_shared<SingleProcess>();
  RankPlace place{.rank = environment->rank,
                  .world_size = environment->world_size,
                  .device = device,
                  .address = local_address_towards(environment->master_address, environment->master_port)};
  return std::make_shared<C10dGroup>(open_store(*environment, config), std::move(place), config);
}

}  // namespace actionclip

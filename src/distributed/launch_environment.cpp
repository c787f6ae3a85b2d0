// By hand, as no packaged library reads these variables: each launcher has its own, and c10d leaves them to
// Python.
#include "actionclip/distributed/launch_environment.h"

#include <cstdlib>
#include <limits>

#include <fmt/format.h>

#include "actionclip/core/error.h"
#include "actionclip/core/text_input.h"

namespace actionclip {
namespace {

constexpr int kDefaultPort = 29500;  // as torchrun's
constexpr std::int64_t kFirstJobPort = 15000, kJobPorts = 10000;

class Variables {
 public:
  Variables(const EnvironmentLookup& lookup, std::string launcher)
      : lookup_(lookup), launcher_(std::move(launcher)) {}

  std::string text(const std::string& name) const {
    const auto value = lookup_(name);
    if (value && !value->empty()) return *value;
    throw Error(fmt::format("the environment looks like that of {}, but {} is not set", launcher_, name));
  }

  std::int64_t integer(const std::string& name, std::int64_t least, std::int64_t most) const {
    const auto value = text(name);
    const auto number = parse_integer(value);
    if (number && *number >= least && *number <= most) return *number;
    throw Error(fmt::format("environment variable {} (of {}): {} to {} expected, found '{}'", name, launcher_,
                            least, most, value));
  }

  bool has(const std::string& name) const {
    const auto value = lookup_(name);
    return value && !value->empty();
  }

 private:
  const EnvironmentLookup& lookup_;
  std::string launcher_;
};

// The names of one launcher's variables.
struct RankNames {
  const char* rank;
  const char* world_size;
  const char* local_rank;
};

LaunchEnvironment read_ranks(const Variables& variables, const RankNames& names) {
  constexpr std::int64_t kMostRanks = 1 << 20;
  LaunchEnvironment result;
  result.world_size = static_cast<int>(variables.integer(names.world_size, 1, kMostRanks));
  result.rank = static_cast<int>(variables.integer(names.rank, 0, result.world_size - 1));
  result.local_rank = static_cast<int>(variables.integer(names.local_rank, 0, result.world_size - 1));
  return result;
}

int read_port(const Variables& variables) {
  return static_cast<int>(variables.integer("MASTER_PORT", 1, std::numeric_limits<std::uint16_t>::max()));
}

LaunchEnvironment read_torchrun(const EnvironmentLookup& lookup) {
  const Variables variables(lookup, "torchrun");
  auto result = read_ranks(variables, {"RANK", "WORLD_SIZE", "LOCAL_RANK"});
  result.launcher = "torchrun";
  result.master_address = variables.text("MASTER_ADDR");
  result.master_port = read_port(variables);
  // torchrun's agent keeps a store of its own at this address, for all attempts.
  const bool agent = lookup("TORCHELASTIC_USE_AGENT_STORE") == "True";
  result.hosts_store = !agent && result.rank == 0;
  if (agent) {
    result.store_prefix =
        fmt::format("/worker/attempt_{}", lookup("TORCHELASTIC_RESTART_COUNT").value_or("0"));
  }
  return result;
}

// Where ranks meet whose launcher does not say: at MASTER_ADDR and MASTER_PORT where they are set.
void choose_master(LaunchEnvironment& environment, const Variables& variables,
                   const std::string& default_address, int default_port) {
  environment.master_address = variables.has("MASTER_ADDR") ? variables.text("MASTER_ADDR") : default_address;
  environment.master_port = variables.has("MASTER_PORT") ? read_port(variables) : default_port;
  environment.hosts_store = environment.rank == 0;
}

LaunchEnvironment read_slurm(const EnvironmentLookup& lookup) {
  const Variables variables(lookup, "srun");
  auto result = read_ranks(variables, {"SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID"});
  result.launcher = "srun";
  const auto job = variables.integer("SLURM_JOB_ID", 0, std::numeric_limits<std::int64_t>::max());
  choose_master(result, variables, first_slurm_host(variables.text("SLURM_STEP_NODELIST")),
                static_cast<int>(kFirstJobPort + job % kJobPorts));
  return result;
}

// `local_world_size`: the variable that tells how many ranks this machine has.
LaunchEnvironment read_mpi(const EnvironmentLookup& lookup, const RankNames& names,
                           const char* local_world_size) {
  const Variables variables(lookup, "mpirun");
  auto result = read_ranks(variables, names);
  result.launcher = "mpirun";
  if (variables.integer(local_world_size, 1, result.world_size) < result.world_size &&
      !variables.has("MASTER_ADDR")) {
    throw Error(
        "mpirun started ranks on several machines, but MASTER_ADDR is not set: give it the name of rank 0's "
        "machine "
        "(mpirun -x MASTER_ADDR=...)");
  }
  choose_master(result, variables, "127.0.0.1", kDefaultPort);
  return result;
}

}  // namespace

std::optional<std::string> lookup_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value ? std::optional<std::string>(value) : std::nullopt;
}

std::optional<LaunchEnvironment> read_launch_environment(const EnvironmentLookup& lookup) {
  if (lookup("RANK") || lookup("WORLD_SIZE")) return read_torchrun(lookup);
  if (lookup("SLURM_STEP_NUM_TASKS") && lookup("SLURM_PROCID")) return read_slurm(lookup);
  if (lookup("OMPI_COMM_WORLD_SIZE")) {
    return read_mpi(lookup, {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK"},
                    "OMPI_COMM_WORLD_LOCAL_SIZE");
  }
  if (lookup("PMI_SIZE"))
    return read_mpi(lookup, {"PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID"}, "MPI_LOCALNRANKS");
  return std::nullopt;
}

std::string first_slurm_host(const std::string& node_list) {
  const auto stop = node_list.find_first_of(",[");
  std::string host = node_list.substr(0, stop);
  if (stop != std::string::npos && node_list[stop] == '[') {
    host += node_list.substr(stop + 1, node_list.find_first_of("-,]", stop) - stop - 1);
    const auto close = node_list.find(']', stop);
    if (close == std::string::npos)
      throw Error(fmt::format("SLURM's list of nodes '{}' has no end", node_list));
    host += node_list.substr(close + 1, node_list.find(',', close) - close - 1);
  }
  return host;
}

}  // namespace actionclip

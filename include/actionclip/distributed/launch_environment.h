// Who this process is among the ranks of a job: what torchrun, srun and mpirun tell their processes in
// environment variables.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace actionclip {

struct LaunchEnvironment {
  std::string launcher;  // "torchrun", "srun" or "mpirun"
  int rank = 0;          // 0 .. world_size - 1
  int world_size = 1;
  int local_rank = 0;  // among the ranks of this machine; chooses the GPU

  // Where the ranks meet: a TCP store.
  std::string master_address;
  int master_port = 0;
  bool hosts_store = false;  // this rank is to run the TCP store; else another process does
  std::string store_prefix;  // of the keys: keeps attempts apart that share a store
};

// An environment variable's value; none if it is not set.
using EnvironmentLookup = std::function<std::optional<std::string>(const std::string& name)>;
std::optional<std::string> lookup_environment(const std::string& name);

// Recognises, in this order:
//   torchrun            RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR, MASTER_PORT (and whatever else sets
//                       these, as `actionclip train --nproc` does)
//   srun                SLURM_PROCID, SLURM_STEP_NUM_TASKS, SLURM_LOCALID, SLURM_STEP_NODELIST;
//                       a batch script outside of srun is one process
//   Open MPI            OMPI_COMM_WORLD_RANK, _SIZE, _LOCAL_RANK, _LOCAL_SIZE
//   MPICH, Intel MPI    PMI_RANK, PMI_SIZE, MPI_LOCALRANKID, MPI_LOCALNRANKS
// None: the process was started alone. MASTER_ADDR and MASTER_PORT, where they are set, say where the ranks
// of srun and mpirun meet; else the first node of the step (srun) or this machine (one machine only), at a
// port made of the job's number. Throws Error that names the variable that is missing or not sensible.
std::optional<LaunchEnvironment> read_launch_environment(
    const EnvironmentLookup& lookup = lookup_environment);

// The first host of SLURM's compressed list: "node[07-09,12],login" -> "node07".
std::string first_slurm_host(const std::string& node_list);

}  // namespace actionclip

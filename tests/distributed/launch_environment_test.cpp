#include "actionclip/distributed/launch_environment.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actionclip/core/error.h"

namespace actionclip {
namespace {

using testing::AllOf;
using testing::HasSubstr;

using Variables = std::map<std::string, std::string>;

EnvironmentLookup lookup_in(const Variables& variables) {
  return [variables](const std::string& name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

LaunchEnvironment read(const Variables& variables) {
  const auto environment = read_launch_environment(lookup_in(variables));
  EXPECT_TRUE(environment.has_value());
  return environment.value_or(LaunchEnvironment{});
}

std::string error_of(const Variables& variables) {
  try {
    read_launch_environment(lookup_in(variables));
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

const Variables kTorchrun = {{"RANK", "5"},
                             {"WORLD_SIZE", "8"},
                             {"LOCAL_RANK", "1"},
                             {"MASTER_ADDR", "node07"},
                             {"MASTER_PORT", "29511"}};

Variables with(Variables variables, const Variables& more) {
  for (const auto& [name, value] : more) variables[name] = value;
  return variables;
}

TEST(LaunchEnvironment, AProcessStartedAloneHasNone) {
  EXPECT_FALSE(read_launch_environment(lookup_in({{"LANG", "C"}, {"MASTER_ADDR", "x"}})).has_value());
}

TEST(LaunchEnvironment, ReadsTorchrunsVariables) {
  const auto environment = read(kTorchrun);
  EXPECT_EQ(environment.launcher, "torchrun");
  EXPECT_EQ(environment.rank, 5);
  EXPECT_EQ(environment.world_size, 8);
  EXPECT_EQ(environment.local_rank, 1);
  EXPECT_EQ(environment.master_address, "node07");
  EXPECT_EQ(environment.master_port, 29511);
  EXPECT_FALSE(environment.hosts_store);
  EXPECT_EQ(environment.store_prefix, "");
  EXPECT_TRUE(read(with(kTorchrun, {{"RANK", "0"}, {"LOCAL_RANK", "0"}})).hosts_store);
}

TEST(LaunchEnvironment, UsesTheStoreOfTorchrunsAgentWithAPrefixForEachAttempt) {
  const auto environment = read(with(kTorchrun, {{"RANK", "0"},
                                                 {"LOCAL_RANK", "0"},
                                                 {"TORCHELASTIC_USE_AGENT_STORE", "True"},
                                                 {"TORCHELASTIC_RESTART_COUNT", "2"}}));
  EXPECT_FALSE(environment.hosts_store);
  EXPECT_EQ(environment.store_prefix, "/worker/attempt_2");
}

TEST(LaunchEnvironment, ReadsSlurmsVariablesOfAStep) {
  const Variables slurm = {{"SLURM_PROCID", "9"},
                           {"SLURM_STEP_NUM_TASKS", "16"},
                           {"SLURM_LOCALID", "1"},
                           {"SLURM_STEP_NODELIST", "gpu[03-04]"},
                           {"SLURM_JOB_ID", "1234567"}};
  const auto environment = read(slurm);
  EXPECT_EQ(environment.launcher, "srun");
  EXPECT_EQ(environment.rank, 9);
  EXPECT_EQ(environment.world_size, 16);
  EXPECT_EQ(environment.local_rank, 1);
  EXPECT_EQ(environment.master_address, "gpu03");
  EXPECT_EQ(environment.master_port, 15000 + 4567);
  EXPECT_FALSE(environment.hosts_store);
  const auto told = read(with(slurm, {{"MASTER_ADDR", "gpu03-ib"}, {"MASTER_PORT", "4000"}}));
  EXPECT_EQ(told.master_address, "gpu03-ib");
  EXPECT_EQ(told.master_port, 4000);
}

TEST(LaunchEnvironment, ABatchScriptOutsideOfSrunIsOneProcess) {
  EXPECT_FALSE(read_launch_environment(
                   lookup_in({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "16"}, {"SLURM_JOB_ID", "1"}}))
                   .has_value());
}

TEST(LaunchEnvironment, ReadsWhatMpirunSets) {
  const auto open_mpi = read({{"OMPI_COMM_WORLD_RANK", "1"},
                              {"OMPI_COMM_WORLD_SIZE", "2"},
                              {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
                              {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}});
  EXPECT_EQ(open_mpi.rank, 1);
  EXPECT_EQ(open_mpi.master_address, "127.0.0.1");
  EXPECT_EQ(open_mpi.master_port, 29500);
  const auto mpich = read({{"PMI_RANK", "0"},
                           {"PMI_SIZE", "4"},
                           {"MPI_LOCALRANKID", "0"},
                           {"MPI_LOCALNRANKS", "2"},
                           {"MASTER_ADDR", "a"}});
  EXPECT_EQ(mpich.world_size, 4);
  EXPECT_TRUE(mpich.hosts_store);
}

TEST(LaunchEnvironment, SeveralMachinesUnderMpirunNeedAnAddress) {
  EXPECT_THAT(error_of({{"OMPI_COMM_WORLD_RANK", "1"},
                        {"OMPI_COMM_WORLD_SIZE", "4"},
                        {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
                        {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}}),
              HasSubstr("MASTER_ADDR is not set"));
}

TEST(LaunchEnvironment, NamesTheVariableThatIsMissingOrNotSensible) {
  for (const auto* name : {"RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"}) {
    auto variables = kTorchrun;
    variables.erase(name);
    EXPECT_THAT(error_of(variables), AllOf(HasSubstr("torchrun"), HasSubstr(name))) << name;
  }
  const std::vector<std::pair<std::string, std::string>> wrong = {{"RANK", "8"},
                                                                  {"WORLD_SIZE", "0"},
                                                                  {"WORLD_SIZE", "two"},
                                                                  {"LOCAL_RANK", "-1"},
                                                                  {"MASTER_PORT", "70000"}};
  for (const auto& [name, value] : wrong) {
    EXPECT_THAT(error_of(with(kTorchrun, {{name, value}})),
                AllOf(HasSubstr(name), HasSubstr("'" + value + "'")));
  }
}

TEST(LaunchEnvironment, FindsTheFirstHostOfSlurmsList) {
  EXPECT_EQ(first_slurm_host("node07"), "node07");
  EXPECT_EQ(first_slurm_host("login,node[1-2]"), "login");
  EXPECT_EQ(first_slurm_host("gpu-a[07-09,12],login"), "gpu-a07");
  EXPECT_EQ(first_slurm_host("rack[3]-n,x"), "rack3-n");
  EXPECT_EQ(first_slurm_host("n[12,15-17]"), "n12");
  EXPECT_THROW(first_slurm_host("n[12"), Error);
}

}  // namespace
}  // namespace actionclip

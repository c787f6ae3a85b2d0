// Precompiled header of the tests that use libtorch.
#pragma once

#include <torch/torch.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// The zip archives of torch.save and torch.jit.save.
// Layout: <prefix>/data.pkl describes the tensors, <prefix>/data/<key> are their storages; TorchScript adds
// <prefix>/constants.pkl and <prefix>/code/, a program, which is never read.
#pragma once

#include "actionclip/weights/tensor_file.h"

#include "weights/zip_archive.h"

namespace actionclip {

// Tensors own their storage's bytes and share them where the file does. Throws WeightsError.
TensorFile read_torch_archive(const ZipArchive& archive);

}  // namespace actionclip

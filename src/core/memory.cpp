#include "actionclip/core/memory.h"

#include <cstdlib>  // says whether the C library is glibc

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace actionclip {

void keep_freed_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 16 << 20);  // larger pieces go back at once
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
#endif
}

}  // namespace actionclip

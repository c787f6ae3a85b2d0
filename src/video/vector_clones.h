// For functions whose loops over pixels are worth vector code.
#pragma once

// Compiles a function for several kinds of processors, of which the running one picks. By GCC alone: Clang,
// here for sanitizers, wants it on the declaration too.
#if defined(__x86_64__) && !defined(__clang__)
#define ACTIONCLIP_VECTOR_CLONES [[gnu::target_clones("avx2", "sse4.1", "default")]]
#else
#define ACTIONCLIP_VECTOR_CLONES
#endif

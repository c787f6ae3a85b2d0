// How the process's allocator treats what is freed.
#pragma once

namespace actionclip {

// Keeps freed memory for the next allocations, up to 64 MiB a thread, where glibc by itself returns pieces as
// large as a clip's frames to the system and has each page of the next clip's made and cleared anew: a third
// of the time that a clip of JPEG frames takes. For a program to call at its start; nothing where the
// allocator is another.
void keep_freed_memory();

}  // namespace actionclip

#include <cstdio>

int main() {
  std::puts("actionclip");
  return 0;
}

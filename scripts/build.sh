#!/usr/bin/env bash
# Configures and builds a preset (default: release) in build/PRESET.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:-release}
cmake --preset "$preset" >"/tmp/actionclip-configure.$$" 2>&1 || { cat "/tmp/actionclip-configure.$$"; rm -f "/tmp/actionclip-configure.$$"; exit 1; }
rm -f "/tmp/actionclip-configure.$$"
cmake --build --preset "$preset"

#!/usr/bin/env bash
# Installs everything that building and testing need on Debian 12: Debian packages, libtorch (out of the PyTorch wheel), the Python
# references of the tests, and CLIP's vocabulary. Run it again at any time: what is there stays.
#
#   scripts/setup.sh               all
#   ACTIONCLIP_TORCH_DIR=.../site-packages/torch scripts/setup.sh    re-use that torch instead of installing the pinned one; it is
#                            re-used from then on (to go back: delete .venv)
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '[setup] %s\n' "$*"; }
die() { printf '[setup] error: %s\n' "$*" >&2; exit 1; }

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "installing Debian packages needs root or sudo: run as root, or install what third_party/debian-packages.txt lists"
  fi
}

install_debian_packages() {
  command -v apt-get >/dev/null || die "no apt-get here: install what third_party/debian-packages.txt lists by hand"
  local wanted=() missing=() package
  mapfile -t wanted < <(sed 's/#.*//; s/[[:space:]]//g; /^$/d' third_party/debian-packages.txt)
  for package in "${wanted[@]}"; do
    dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done
  if [ ${#missing[@]} -eq 0 ]; then
    say "Debian packages: all ${#wanted[@]} present"
    return
  fi
  say "Debian packages: installing ${missing[*]}"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# Prints the site-packages folder of the torch to re-use (the one that is asked for, else the one that .venv re-uses already);
# nothing where the pinned one is wanted.
reused_site() {
  if [ -z "${ACTIONCLIP_TORCH_DIR:-}" ]; then
    cat .venv/lib/python3*/site-packages/reused_torch.pth 2>/dev/null || true
    return 0
  fi
  case $ACTIONCLIP_TORCH_DIR in /*) ;; *) die "ACTIONCLIP_TORCH_DIR=$ACTIONCLIP_TORCH_DIR: give the whole path, from / on" ;; esac
  [ -f "$ACTIONCLIP_TORCH_DIR/version.py" ] || die "ACTIONCLIP_TORCH_DIR=$ACTIONCLIP_TORCH_DIR holds no torch"
  local site own
  site=$(cd "$ACTIONCLIP_TORCH_DIR/.." && pwd -P)
  own=$(cd .venv/lib/python3*/site-packages 2>/dev/null && pwd -P) || own=
  [ "$site" = "$own" ] || echo "$site"
}

# Writes to .venv what pip shall install beside the re-used torch. torchvision is whichever version was made for that torch.
choose_requirements_beside_torch() {
  local version
  version=$(.venv/bin/python -c 'import importlib.metadata, torch; print(importlib.metadata.version("torch"))') ||
    die "$(.venv/bin/python --version) cannot import the torch in $1; a torch of that Python is needed"
  sed 's/^torchvision==.*/torchvision/' third_party/requirements-test.txt >.venv/requirements.txt
  echo "torch==$version" >.venv/constraints.txt
}

install_python() {
  local python=.venv/bin/python site state stamp=.venv/installed.sha256
  site=$(reused_site)
  # A .venv belongs to one torch: its own would hide a re-used one.
  if [ -x "$python" ] && [ "$(cat .venv/lib/python3*/site-packages/reused_torch.pth 2>/dev/null)" != "$site" ]; then
    say "Python environment: .venv was made for another torch, making it anew"
    rm -rf .venv
  fi
  if [ ! -x "$python" ]; then
    say "Python environment: creating .venv"
    /usr/bin/python3 -m venv .venv
    if [ -n "$site" ]; then echo "$site" >"$(echo .venv/lib/python3*/site-packages)/reused_torch.pth"; fi
  fi
  state=$(cat third_party/requirements-*.txt <(echo "$site") | sha256sum)
  if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$state" ]; then
    say "Python packages: present"
    return
  fi
  local wanted=(-r third_party/requirements-test.txt -r third_party/requirements-build.txt)
  if [ -n "$site" ]; then
    say "Python packages: re-using the torch in $site, installing the references of the tests"
    choose_requirements_beside_torch "$site"
    wanted=(-r .venv/requirements.txt -c .venv/constraints.txt)
  else
    say "Python packages: installing libtorch and the references of the tests (5 GB; minutes)"
  fi
  "$python" -m pip install --quiet --disable-pip-version-check "${wanted[@]}"
  echo "$state" >"$stamp"
}

# CLIP's byte-pair merges; shipped inside open_clip's package.
fetch_vocabulary() {
  local target=.cache/bpe_simple_vocab_16e6.txt.gz package
  local sha256=924691ac288e54409236115652ad4aa250f48203de50a9e4722a6ecd48d6804a
  if [ ! -f "$target" ]; then
    mkdir -p .cache
    # Beside a re-used torch, open_clip may be there already, in that torch's folder.
    package=$(.venv/bin/python -c 'import importlib.util; print(*importlib.util.find_spec("open_clip").submodule_search_locations)')
    cp "$package/$(basename "$target")" "$target.tmp"
    echo "$sha256  $target.tmp" | sha256sum --check --quiet || die "the vocabulary in open_clip's package has another SHA-256 than $sha256"
    mv "$target.tmp" "$target"
  fi
  say "CLIP's vocabulary: $target"
}

install_debian_packages
install_python
fetch_vocabulary
say "done"

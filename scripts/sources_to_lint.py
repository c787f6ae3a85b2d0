"""Prints which sources clang-tidy has to read again, a path a line, out of the changed files on standard input (paths below the
project's folder, the last changed first):

- of the torch-free libraries all that changed, or that include a changed header by whatever way; all there are if the linter's own
  settings changed;
- of the others, which take 40 s each as they include libtorch, MOST that changed or whose header did. Those left out are named on
  standard error.

  scripts/sources_to_lint.py COMPILE_COMMANDS MOST < changed_files
"""

import json
import re
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = {".clang-tidy", "third_party/debian-packages.txt"}  # the checks, and the linter's version
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


@cache
def headers_of(file: Path) -> list[Path]:
    """The project's own that it includes."""
    folders = [file.parent, ROOT / "include", ROOT / "src", ROOT]
    found = (next((path for folder in folders if (path := folder / name).is_file()), None)
             for name in INCLUDE.findall(file.read_text()))
    return [path.resolve() for path in found if path]


def all_read_by(file: Path) -> set[Path]:
    seen, left = {file}, [file]
    while left:
        new = set(headers_of(left.pop())) - seen
        seen |= new
        left += new
    return seen


def source_of(changed: str) -> Path:
    """src/a/b.cpp of include/actionclip/a/b.h."""
    return ROOT / re.sub(r"\.h$", ".cpp", re.sub(r"^include/actionclip/", "src/", changed))


def main() -> None:
    commands, most = Path(sys.argv[1]), int(sys.argv[2])
    changed = sys.stdin.read().split()
    torch_free = {Path(entry["file"]) for entry in json.loads(commands.read_text())
                  if re.search("actionclip_(base|video).dir", entry["command"]) and "/generated/" not in entry["file"]}
    files = torch_free
    if not SETTINGS & set(changed):
        differing = {ROOT / name for name in changed}
        files = {file for file in torch_free if all_read_by(file) & differing}
    others = [source_of(name) for name in changed if re.match(r"(src|include|tools)/.*\.(cpp|h)$", name)]
    others = [file for file in dict.fromkeys(others) if file.is_file() and file not in torch_free]
    if others[most:]:
        names = "\n".join(str(file.relative_to(ROOT)) for file in others[most:])
        print(f"[lint] not checked, as more than {most} files with libtorch changed:\n{names}", file=sys.stderr)
    print(f"[lint] clang-tidy: {len(files)} of {len(torch_free)} torch-free files and {len(others[:most])} others", file=sys.stderr)
    for file in sorted(files) + others[:most]:
        print(file)


if __name__ == "__main__":
    main()

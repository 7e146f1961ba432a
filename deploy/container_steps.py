"""The Dockerfile's Python steps, by hand in a clean directory: for machines without a container engine, and for CI.

Reads the build stage of the Dockerfile itself, so it cannot drift from it: COPY copies (nothing that .dockerignore
leaves out), RUN runs, with /opt/orgctl and the work directory below a new directory. Then it looks at the result as
the container's user would. Standard library only, and any Python that the project supports.
"""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
UID = 65532
CHECKS = """
import importlib.util, sys
gone = [name for name in ("pip", "setuptools", "moto", "pytest") if importlib.util.find_spec(name)]
sys.exit(f"still there: {gone}" if gone else 0)
"""


def instructions(dockerfile: str) -> Iterator[list[tuple[str, str]]]:
    """The instructions of each stage: (``RUN``, its text), comments left out and lines joined."""
    text = re.sub(r"^\s*#.*\n", "", dockerfile, flags=re.MULTILINE).replace("\\\n", " ")
    stage: list[tuple[str, str]] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        word, _, rest = line.partition(" ")
        if word == "FROM" and stage:
            yield stage
            stage = []
        stage.append((word, rest.strip()))
    yield stage


def ignored(path: Path) -> bool:
    """Whether .dockerignore keeps it out of the build; the last pattern that matches decides."""
    verdict = False
    for line in (PROJECT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        parts = [str(path), *map(str, path.parents)]
        name = pattern.removeprefix("!").removeprefix("**/")
        if any(fnmatch.fnmatch(part, name) or ("**/" in pattern and Path(part).name == name) for part in parts):
            verdict = not pattern.startswith("!")
    return verdict


def copy(arguments: str, work: Path) -> None:
    *sources, target = arguments.split()
    for source in sources:
        into = work / target
        if target.endswith("/"):
            into = into / Path(source).name
        origin = PROJECT / source
        for file in [origin] if origin.is_file() else sorted(p for p in origin.rglob("*") if p.is_file()):
            if ignored(file.relative_to(PROJECT)):
                continue
            to = into if origin.is_file() else into / file.relative_to(origin)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, to)


def build(root: Path) -> Path:
    """Carry out the build stage below `root`; returns what stands for /opt/orgctl."""
    work, opt = root / "src", root / "opt" / "orgctl"
    work.mkdir()
    stage = next(instructions((PROJECT / "Dockerfile").read_text(encoding="utf-8")))
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))}
    for word, text in stage:
        if word == "COPY":
            copy(text, work)
        elif word == "ENV":
            environment.update(pair.split("=", 1) for pair in text.split())
        elif word == "RUN":
            print(f"RUN {text}", flush=True)
            command = re.sub(r"^python\b", sys.executable, text).replace("/opt/orgctl", str(opt))
            done = subprocess.run(
                ["/bin/sh", "-ec", command],
                cwd=work,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                sys.exit(f"{done.stdout}{done.stderr}\nRUN ended with {done.returncode}")
    return opt


def look(opt: Path, root: Path) -> None:
    """What the container's user finds: the program works, from a directory that may not be written, without a home."""
    etc = root / "etc"
    etc.mkdir(mode=0o555)
    root.chmod(0o755)
    user = {"user": UID, "group": UID, "extra_groups": []} if os.geteuid() == 0 and open_to_all(opt) else {}
    environment = {"PATH": f"{opt}/bin:/usr/bin:/bin", "HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"}
    for command in (
        ["orgctl", "--version"],
        ["orgctl", "run", "--help"],
        ["python", "-W", "error", "-c", "import controller.service"],
        ["python", "-c", CHECKS],
    ):
        print(f"as {'the container' if user else 'this'} user: {' '.join(command[:2])}", flush=True)
        subprocess.run(
            [str(opt / "bin" / command[0]), *command[1:]],
            cwd=etc,
            env=environment,
            check=True,
            stdin=subprocess.DEVNULL,
            **user,
        )


def open_to_all(opt: Path) -> bool:
    """Whether another user can reach this interpreter: not where it lies in somebody's home."""
    python = (opt / "bin" / "python").resolve()
    return all(path.stat().st_mode & 0o001 for path in (python, *python.parents))


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="orgctl-container-") as name:
        root = Path(name)
        look(build(root), root)
    print("The container's steps work.")


if __name__ == "__main__":
    main()

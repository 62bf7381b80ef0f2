"""The program accesses no network: it looks up no host name and stores no device id."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[1]
DEMO = ROOT / "assets" / "clips" / "demo.mp4"
SOURCE_ROOTS = [ROOT / name for name in ("app", "engine", "models")]
IMPORT = re.compile(r"^\s*(?:import|from) onnxruntime\b", re.MULTILINE)

# A library that is loaded before libc. It writes down each host name that is looked up and each
# internet address that is connected to or written to, and lets none of them succeed.
SPY = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <dlfcn.h>

static void note(const char *what, const char *detail) {
    FILE *file = fopen(getenv("SPY_FILE"), "a");
    if (file) { fprintf(file, "%s %s\n", what, detail ? detail : ""); fclose(file); }
}
static int internet(const struct sockaddr *to) {
    return to && (to->sa_family == AF_INET || to->sa_family == AF_INET6);
}
int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                struct addrinfo **found) {
    note("look-up", host);
    return EAI_FAIL;
}
struct hostent *gethostbyname(const char *host) { note("look-up", host); return NULL; }
int connect(int handle, const struct sockaddr *to, socklen_t size) {
    if (internet(to)) { note("connect", ""); errno = ENETUNREACH; return -1; }
    int (*real)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "connect");
    return real(handle, to, size);
}
ssize_t sendto(int handle, const void *data, size_t size, int flags, const struct sockaddr *to,
               socklen_t length) {
    if (internet(to)) { note("sendto", ""); errno = ENETUNREACH; return -1; }
    ssize_t (*real)(int, const void *, size_t, int, const struct sockaddr *, socklen_t) =
        dlsym(RTLD_NEXT, "sendto");
    return real(handle, data, size, flags, to, length);
}
"""

TRACK = """
import sys
from steadymark.app.cli.main import main
sys.argv = ["steadymark", "track", sys.argv[1], "--end", "0.5", "--out", sys.argv[2], "--overwrite"]
main()
"""
WORKERS = """
import shutil, sys
from pathlib import Path
from steadymark.app.cli.main import main
if __name__ == "__main__":
    folder = Path(sys.argv[2])
    folder.mkdir()
    copies = [shutil.copy(sys.argv[1], folder / f"{name}.mp4") for name in "ab"]
    sys.argv = ["steadymark", "track", *map(str, copies), "--end", "0.2", "--jobs", "2"]
    sys.argv += ["--out", str(folder)]
    main()
"""
API = """
import sys
import steadymark as sm
sm.FaceLandmarker().detect(next(iter(sm.read_frames(sys.argv[1]))).image)
"""
WINDOW = """
import sys
from steadymark.app.gui.application import run_window
sys.exit(run_window(sys.argv[1]))
"""
DOCTOR = """
import sys
from steadymark.app.cli.main import main
sys.argv = ["steadymark", "doctor", "--json"]
try:
    main()
except SystemExit as end:
    sys.exit(end.code not in (0, 1))  # 1: a library of Qt may be missing here
"""
LOOK_UP = "import socket; socket.getaddrinfo('example.org', 80)"


@pytest.fixture(scope="session")
def spy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compile the library that writes down network access."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("needs Linux and a C compiler")
    folder = tmp_path_factory.mktemp("spy")
    (folder / "spy.c").write_text(SPY)
    command = [compiler, "-shared", "-fPIC", "-o", "spy.so", "spy.c", "-ldl"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / "spy.so"


def network_access(spy: Path, home: Path, code: str, *arguments: str) -> list[str]:
    """Run Python code in a process with a fresh home folder; return its accesses to the network."""
    home.mkdir()
    environment: Mapping[str, str] = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(map(str, SOURCE_ROOTS)),
        "HOME": str(home),
        "QT_QPA_PLATFORM": "offscreen",
        "OMP_NUM_THREADS": "1",
        "STEADYMARK_QUIT_AFTER_MS": "5000",
        "LD_PRELOAD": str(spy),
        "SPY_FILE": str(home / "accesses.txt"),
    }
    result = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert result.returncode == 0 or code is LOOK_UP, result.stderr
    log = home / "accesses.txt"
    return log.read_text().splitlines() if log.exists() else []


@pytest.mark.parametrize(
    "code",
    [TRACK, WORKERS, API, WINDOW, DOCTOR],
    ids=["track", "workers", "API", "window", "doctor"],
)
def test_no_part_of_the_program_accesses_the_network(spy: Path, tmp_path: Path, code: str) -> None:
    home = tmp_path / "home"
    assert network_access(spy, home, code, str(DEMO), str(tmp_path / "out")) == []
    assert not (home / ".cache" / "Microsoft").exists()


def test_the_spy_library_records_a_look_up(spy: Path, tmp_path: Path) -> None:
    assert network_access(spy, tmp_path / "home", LOOK_UP) == ["look-up example.org"]


def test_only_one_module_imports_onnx_runtime() -> None:
    importing = [
        path.name
        for root in SOURCE_ROOTS
        for path in root.rglob("*.py")
        if IMPORT.search(path.read_text(encoding="utf-8"))
    ]
    assert importing == ["onnxruntime_offline.py"]

"""What `make` does before the product runs: only what changed, and one clear line when it cannot."""

from __future__ import annotations

import ast
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from tools import environment, start, steps
from tools import test as test_command
from tools.environment import in_range, page_sources
from tools.steps import SetupError, Stamp, StepFailed, digest

REPOSITORY = Path(__file__).resolve().parents[2]
REQUIREMENTS = REPOSITORY / "backend" / "requirements.in"
PACKAGE_OF = {"websocket": "websocket-client"}
"""By the module that is imported, where the names differ."""


class Recorder:
    """Stands for run_step: notes the titles, and makes the environment without pip."""

    def __init__(self) -> None:
        self.titles: list[str] = []
        self.installed: list[str] = []
        self.fails_on: str | None = None
        self.is_killed = False

    def __call__(self, title: str, argv: Sequence[str | Path], **_: object) -> None:
        self.titles.append(title)
        if self.is_killed:
            raise KeyboardInterrupt
        if title == "Python packages":
            self.installed.append(Path(argv[-1]).name)
        if title == "Python environment":
            subprocess.run([*argv[:3], "--without-pip", *argv[3:]], check=True)
        if title == self.fails_on:
            log = steps.STATE / "failed.log"
            log.parent.mkdir(exist_ok=True)
            log.write_text("getaddrinfo: Temporary failure in name resolution")
            raise StepFailed(title, log)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty checkout with nothing but the files that say what is needed."""
    backend, frontend = tmp_path / "backend", tmp_path / "frontend"
    backend.mkdir()
    (frontend / "src").mkdir(parents=True)
    (backend / "requirements.txt").write_text("torch==1\n")
    (backend / "requirements-dev.txt").write_text("-r requirements.txt\npytest==1\n")
    (backend / "requirements-cluster.txt").write_text("-r requirements.txt\nray==1\n")
    (frontend / "src" / "main.tsx").write_text("")
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(REPOSITORY / "frontend" / name, frontend)
    for module in (environment, steps):
        monkeypatch.setattr(module, "ROOT", tmp_path)
        monkeypatch.setattr(module, "BACKEND", backend)
        monkeypatch.setattr(module, "FRONTEND", frontend)
        monkeypatch.setattr(module, "STATE", tmp_path / ".state")
    monkeypatch.setattr(environment, "VENV", backend / ".venv")
    monkeypatch.setattr(environment, "VENV_PYTHON", backend / ".venv" / "bin" / "python")
    monkeypatch.setattr(environment, "NODE_MODULES", frontend / "node_modules")
    monkeypatch.setattr(environment, "PAGE", frontend / "dist")
    return tmp_path


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()
    monkeypatch.setattr(environment, "run_step", recorder)
    return recorder


def prepare_python(packages: environment.Packages = "run") -> None:
    environment.prepare(packages, page=False, node=False)


@pytest.mark.usefixtures("checkout")
def test_second_start_installs_nothing(recorder: Recorder) -> None:
    prepare_python()
    assert recorder.titles == ["Python environment", "Python packages"]
    prepare_python()
    assert len(recorder.titles) == 2


def test_changed_requirements_are_installed_into_the_same_environment(
    checkout: Path, recorder: Recorder
) -> None:
    prepare_python()
    (checkout / "backend" / "requirements.txt").write_text("torch==2\n")
    prepare_python()
    assert recorder.titles == ["Python environment", "Python packages", "Python packages"]


@pytest.mark.usefixtures("checkout")
def test_packages_of_a_cluster_are_installed_when_one_is_asked_for(recorder: Recorder) -> None:
    """And beside those of the tests, which are not installed again after them."""
    prepare_python("run")
    prepare_python("dev")
    assert "requirements-cluster.txt" not in recorder.installed
    prepare_python("cluster")
    assert recorder.installed[-1] == "requirements-cluster.txt"
    for packages in ("cluster", "dev", "run"):
        prepare_python(packages)
    assert len(recorder.installed) == 3


def test_extras_agree_about_the_packages_that_both_name() -> None:
    """They share an environment, so the one that is installed last must not undo the other."""
    pins = [
        set(
            re.findall(
                r"^[\w-]+==\S+(?: ;.+)?$", (REQUIREMENTS.parent / file).read_text(), re.MULTILINE
            )
        )
        for file in ("requirements-dev.txt", "requirements-cluster.txt")
    ]
    names = [{pin.partition("==")[0] for pin in each} for each in pins]
    shared = names[0] & names[1]
    assert "cffi" in shared
    dev, cluster = ({pin for pin in each if pin.partition("==")[0] in shared} for each in pins)
    assert dev == cluster


@pytest.mark.usefixtures("checkout")
def test_development_packages_are_enough_to_run(recorder: Recorder) -> None:
    prepare_python("dev")
    prepare_python("run")
    assert recorder.titles.count("Python packages") == 1
    prepare_python("dev")
    assert recorder.titles.count("Python packages") == 1


def test_killed_install_starts_again_from_an_empty_environment(
    checkout: Path, recorder: Recorder
) -> None:
    prepare_python()
    leftover = checkout / "backend" / ".venv" / "half-copied-package"
    leftover.touch()
    (checkout / "backend" / "requirements.txt").write_text("torch==2\n")
    recorder.is_killed = True
    with pytest.raises(KeyboardInterrupt):
        prepare_python()
    recorder.is_killed = False
    prepare_python()
    assert recorder.titles[-2:] == ["Python environment", "Python packages"]
    assert not leftover.exists()


def test_install_without_network_says_so_and_keeps_what_is_there(
    checkout: Path, recorder: Recorder
) -> None:
    prepare_python()
    (checkout / "backend" / "requirements.txt").write_text("torch==2\n")
    recorder.fails_on = "Python packages"
    with pytest.raises(SetupError, match="pip could not reach its package index"):
        prepare_python()
    recorder.fails_on = None
    prepare_python()
    assert recorder.titles.count("Python environment") == 1


def test_moved_checkout_gets_a_new_environment(checkout: Path, recorder: Recorder) -> None:
    prepare_python()
    place = checkout / "backend" / ".venv" / ".place"
    assert place.read_text() == str(checkout / "backend" / ".venv")
    place.write_text("/elsewhere/backend/.venv")
    prepare_python()
    assert recorder.titles.count("Python environment") == 2


def test_environment_whose_python_is_gone_is_made_again(checkout: Path, recorder: Recorder) -> None:
    prepare_python()
    python = checkout / "backend" / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python3.11")
    prepare_python()
    assert recorder.titles.count("Python environment") == 2


def test_environment_that_someone_made_by_hand_is_kept(checkout: Path, recorder: Recorder) -> None:
    venv = checkout / "backend" / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    prepare_python()
    assert recorder.titles == ["Python packages"]


def test_page_is_built_again_only_when_something_of_it_changed(
    checkout: Path, recorder: Recorder
) -> None:
    source = checkout / "frontend" / "src" / "main.tsx"
    page = checkout / "frontend" / "dist" / "index.html"
    page.parent.mkdir()
    page.touch()

    def builds_after(change: str) -> int:
        source.write_text(change)
        environment.prepare_page()
        return recorder.titles.count("Page")

    assert builds_after("") == 1
    assert builds_after("") == 1
    assert builds_after("render()") == 2
    (checkout / "frontend" / "src" / "main.test.tsx").touch()
    assert builds_after("render()") == 2
    page.unlink()
    assert builds_after("render()") == 3


def test_page_does_not_depend_on_tests_or_build_output() -> None:
    files = {path.name for path in page_sources(REPOSITORY / "frontend")}
    assert {"index.html", "main.tsx", "package-lock.json", "vite.config.ts"} <= files
    assert not any(name.endswith((".test.ts", ".test.tsx", ".tsbuildinfo")) for name in files)


def test_digest_tells_names_and_contents_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "ROOT", tmp_path)
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("same")
    two.write_text("same")
    keys = {digest(files=[one]), digest(files=[two]), digest(files=[one, two]), digest("same")}
    assert len(keys) == 4


def test_stamp_that_was_never_recorded_matches_nothing(tmp_path: Path) -> None:
    stamp = Stamp(tmp_path / "new" / "stamp")
    assert not stamp.matches("")
    stamp.record("")
    assert stamp.matches("")
    stamp.forget()
    assert not stamp.matches("")


@pytest.mark.parametrize(
    ("version", "is_wanted"),
    [
        ("v18.20.4", False),
        ("v20.18.3", False),
        ("v20.19.0", True),
        ("v20.20.2", True),
        ("v21.7.3", False),
        ("v22.11.0", False),
        ("v22.12.0", True),
        ("v25.1.0", True),
    ],
)
def test_node_versions_of_the_page(version: str, is_wanted: bool) -> None:
    assert in_range(version, ">=20.19 <21 || >=22.12") is is_wanted


def test_missing_node_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match=r"Node is missing: install Node >=20\.19"):
        environment.require_node()


def test_old_node_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    old = tmp_path / "node"
    old.write_text("#!/bin/sh\necho v18.20.4\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match=r"node is v18\.20\.4"):
        environment.require_node()


def test_missing_python_is_named(tmp_path: Path) -> None:
    make = shutil.which("make")
    assert make is not None
    answer = subprocess.run(
        [make, "--no-print-directory", "run"],
        cwd=REPOSITORY,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert answer.returncode != 0
    assert "Error: Python 3.10 to 3.14 is needed" in answer.stderr


def test_busy_port_is_named_before_anything_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "prepare", lambda *_, **__: pytest.fail("it began to install"))
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setenv("PORTS", str(port))
        with pytest.raises(SetupError, match=rf"Port {port} .* in use .* make run PORTS="):
            start.run()


@pytest.mark.parametrize("text", ["5174,8001", "5174 8001", "[5174, 8001]"])
def test_ports_are_read_as_people_write_them(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTS", text)
    assert start.wanted_ports() == [5174, 8001]


@pytest.mark.parametrize("text", ["http", "80,", "70000", "-1"])
def test_ports_that_are_none_are_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTS", text)
    with pytest.raises(SetupError, match="write port numbers"):
        start.wanted_ports()


def test_failed_step_shows_the_output_of_its_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(steps, "STATE", tmp_path)
    argv = [sys.executable, "-c", "print('the reason'); raise SystemExit(3)"]
    with pytest.raises(StepFailed, match="Doing failed"):
        steps.run_step("Doing", argv, cwd=tmp_path)
    assert "the reason" in capsys.readouterr().err


def test_stopped_server_takes_its_children_with_it() -> None:
    script = (
        "import subprocess, sys; child = subprocess.Popen(['sleep', '60']);"
        "print(child.pid, flush=True); child.wait()"
    )
    argv = [sys.executable, "-c", script]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, start_new_session=True) as server:
        assert server.stdout is not None
        child = psutil.Process(int(server.stdout.readline()))
        start.stop([server])
    gone, alive = psutil.wait_procs([child], timeout=10)
    assert gone == [child], alive


@pytest.mark.parametrize(
    ("read", "output", "expected"),
    [
        (
            test_command.read_pytest,
            "....\n=== 2 failed, 310 passed, 1 error in 41.20s ===",
            (310, 3, "2 failed, 310 passed, 1 error in 41.20s"),
        ),
        (test_command.read_pytest, "12 passed in 0.51s", (12, 0, "12 passed in 0.51s")),
        (
            test_command.read_vitest,
            " Test Files  1 failed | 20 passed (21)\n      Tests  2 failed | 118 passed (120)\n",
            (118, 2, "2 failed | 118 passed (120) in 1 failed | 20 passed (21) files"),
        ),
        (
            test_command.read_playwright,
            "  1 failed\n    [chromium] › chat.spec.ts:3:1 › streams\n  1 flaky\n  30 passed (52.1s)",
            (30, 1, "1 failed, 1 flaky, 30 passed (52.1s)"),
        ),
    ],
)
def test_closing_lines_of_the_runners_are_read(
    read: object, output: str, expected: tuple[int, int, str]
) -> None:
    assert callable(read)
    assert read(output) == expected


def test_runner_that_ran_no_test_has_failed(tmp_path: Path) -> None:
    outcome = test_command.run_tests(
        "empty", [sys.executable, "-c", "pass"], tmp_path, test_command.read_pytest
    )
    assert (outcome.failed, outcome.closing) == (1, "no test ran")


def test_runner_that_crashed_after_its_tests_has_failed(tmp_path: Path) -> None:
    script = "print('3 passed in 0.1s'); raise SystemExit(139)"
    outcome = test_command.run_tests(
        "crashing", [sys.executable, "-c", script], tmp_path, test_command.read_pytest
    )
    assert (outcome.passed, outcome.failed) == (3, 1)
    assert "exit status 139" in outcome.closing


def test_requirements_name_every_package_that_the_app_imports() -> None:
    named = set(re.findall(r"^([\w-]+)", REQUIREMENTS.read_text(), re.MULTILINE))
    imported: set[str] = set()
    for file in (REPOSITORY / "backend" / "app").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.partition(".")[0])
    ours = {"app", *sys.stdlib_module_names}
    packages = {PACKAGE_OF.get(name, name.replace("_", "-")) for name in imported - ours}
    assert packages <= named


def test_every_direct_requirement_is_pinned() -> None:
    pinned = (REPOSITORY / "backend" / "requirements.txt").read_text()
    for name in re.findall(r"^([\w-]+)", REQUIREMENTS.read_text(), re.MULTILINE):
        assert re.search(rf"^{name}==", pinned, re.MULTILINE), name


def test_continuous_integration_runs_what_the_readme_names() -> None:
    script = REPOSITORY / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "make check" in script.read_text()
    assert "make test" in script.read_text()

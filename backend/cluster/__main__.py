"""`make cluster`: replicas of the server on this machine, behind one port of Ray Serve.

    python -m cluster [replicas=2] [cpus=1] [gpus=0]

Settings come from the environment (`EXPLORER_…`), as everywhere. Without EXPLORER_DATABASE a PostgreSQL
server is started, whose files are kept in the user's data folder.
"""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

from pydantic import ValidationError

from app.api.people import BadTokensFile, People
from app.console import prepare_console, say
from app.listening import CannotListen, bind_sockets
from app.settings import BACKEND_DIR, NoDataFolder, Settings, data_folder
from cluster.front import SESSION_HEADER
from cluster.placement import BadCluster, Placement, replica_settings
from cluster.postgresql import create_database, running_postgresql

WATCH_S = 2.0
"""How often it is looked whether Ray still runs."""
MISSED_CHECKS = "20"
"""A machine that is busy with models answers Ray late; by default five misses end everything."""
OBJECT_STORE_BYTES = 200 * 2**20
"""Ray would take a third of the memory for objects that are passed around; nothing is here."""
PACKAGES = BACKEND_DIR / "requirements-cluster.txt"


def main(argv: list[str]) -> int:
    prepare_console()
    with contextlib.ExitStack() as resources:
        try:
            placement = Placement.of(dict(part.partition("=")[::2] for part in argv))
            require_ray()
            prepare_environment(placement, resources)
            settings = replica_settings()
            port = settings.ports[0]
            for bound in bind_sockets(settings.host, [port]):
                bound.close()
            if settings.tokens_file is not None:
                People(settings.tokens_file)
        except ValidationError as failure:
            first = failure.errors(include_url=False, include_input=False)[0]
            name = ".".join(map(str, first["loc"])) or "settings"
            message = str(first["msg"]).removeprefix("Value error, ")
            return refused(f"{name}: {message}")
        except (BadCluster, BadTokensFile, CannotListen, NoDataFolder) as failure:
            return refused(str(failure))
        return serve_until_stopped(settings, placement, port)


def refused(reason: str) -> int:
    print(f"Error: {reason}", file=sys.stderr)
    return 2


def require_ray() -> None:
    """Raises BadCluster without the extra packages."""
    if importlib.util.find_spec("ray") is None:
        raise BadCluster(
            "A cluster needs Ray Serve, which is an extra. Install it beside the other packages: "
            f"{sys.executable} -m pip install -r {PACKAGES}"
        )


def prepare_environment(placement: Placement, resources: contextlib.ExitStack) -> None:
    """What the processes that Ray starts inherit; raises BadCluster."""
    environment = os.environ
    path = [str(BACKEND_DIR), *filter(None, [environment.get("PYTHONPATH")])]
    environment["PYTHONPATH"] = os.pathsep.join(path)
    environment["RAY_USAGE_STATS_ENABLED"] = "0"
    # Without a token any program on this machine could run code in Ray's processes.
    environment["RAY_AUTH_MODE"] = "token"
    environment.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    environment.setdefault("RAY_health_check_failure_threshold", MISSED_CHECKS)
    environment["RAY_SERVE_SESSION_ID_HEADER_KEY"] = SESSION_HEADER
    environment["RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH"] = "cluster.front.middlewares"
    # Each replica takes its share of the cores; the same share, because the last bits depend on it.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    environment.setdefault("EXPLORER_THREADS", str(max(1, (cores or 1) // placement.replicas)))
    if not environment.get("EXPLORER_DATABASE"):
        environment["EXPLORER_DATABASE"] = own_database(data_folder() / "cluster", resources)


def own_database(folder: Path, resources: contextlib.ExitStack) -> str:
    """URL of a database on a PostgreSQL server that runs until the end; raises BadCluster."""
    try:
        server = resources.enter_context(running_postgresql(folder))
    except FileNotFoundError:
        raise BadCluster(
            "Replicas share their conversations in PostgreSQL, which is not installed here. Install it "
            "(apt install postgresql, brew install postgresql), or set EXPLORER_DATABASE to "
            "postgresql://user@host/name."
        ) from None
    except subprocess.CalledProcessError:
        raise BadCluster(
            f"PostgreSQL could not be started in {folder}; what it said stands above or in {folder}/log. "
            f"Where a cluster that was killed has left it running: pg_ctl -D {folder}/data stop. It does "
            "not run as root: start the cluster as another user, or set EXPLORER_DATABASE."
        ) from None
    say(f"Conversations are kept by PostgreSQL in {folder}.")
    return create_database(server, "explorer")


def serve_until_stopped(settings: Settings, placement: Placement, port: int) -> int:
    """Starts Ray and the replicas, says where they answer, and waits for a signal."""
    import ray
    from ray import serve
    from ray.serve.config import HTTPOptions
    from ray.serve.schema import LoggingConfig

    from cluster.serve_app import application, why_not_started

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    if settings.log_level != "DEBUG":
        logging.disable(logging.INFO)  # Serve says in its own words what is said below
    say(f"Starting {placement.replicas} replicas; each loads the model ({settings.model}).")
    ray.init(
        address="local",
        num_cpus=max(2, round(placement.replicas * placement.cpus) + 1),
        object_store_memory=OBJECT_STORE_BYTES,
        include_dashboard=False,
        log_to_driver=settings.log_level == "DEBUG",
        logging_level="WARNING",
        _node_ip_address="127.0.0.1",
    )
    # Only now: Ray has set handlers of its own, which would end this process at once.
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, stop)
    try:
        serve.start(
            http_options=HTTPOptions(host=settings.host, port=port),
            logging_config=LoggingConfig(log_level="WARNING"),
        )
        try:
            serve.run(application(settings, placement), blocking=False)
        except RuntimeError:
            return refused(f"The replicas did not start. {why_not_started()}")
        say(f"Ready: {placement.replicas} replicas answer on http://localhost:{port}")
        say("Stop with Ctrl-C.")
        while any(node["Alive"] for node in ray.nodes()):
            time.sleep(WATCH_S)
        return refused("Ray has ended; most likely this machine had no time or memory for it.")
    except KeyboardInterrupt:
        say("Finishing the running replies.")
        return 0
    finally:
        serve.shutdown()
        ray.shutdown()
        say("Stopped.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

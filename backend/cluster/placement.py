"""How many replicas there are, what each may use, and the settings that all of them need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.settings import Settings


class BadCluster(Exception):
    """A cluster that cannot be started like this; the message is one line and says what to do."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Replicas, and the cores and GPUs that Ray sets aside for each of them."""

    replicas: int = 2
    cpus: float = 1.0
    gpus: float = 0.0

    @classmethod
    def of(cls, args: Mapping[str, str]) -> Placement:
        """From `replicas=4 cpus=2 gpus=1`; raises BadCluster."""
        try:
            found = cls(
                replicas=int(args.get("replicas", "2")),
                cpus=float(args.get("cpus", "1")),
                gpus=float(args.get("gpus", "0")),
            )
        except ValueError as failure:
            raise BadCluster(f"replicas, cpus and gpus are numbers: {failure}.") from None
        if unknown := args.keys() - {"replicas", "cpus", "gpus"}:
            raise BadCluster(f"{min(unknown)} is none of replicas, cpus and gpus.")
        if found.replicas < 1 or found.cpus < 0 or found.gpus < 0:
            raise BadCluster("There is at least one replica, and no negative number of cores.")
        return found


def replica_settings() -> Settings:
    """The settings of a replica, from the environment of its process; raises BadCluster."""
    settings = Settings(fixed_model=True)
    if not settings.database_url.startswith("postgresql"):
        raise BadCluster(
            "Replicas share their conversations in PostgreSQL: set EXPLORER_DATABASE to "
            "postgresql://user@host/name on every machine of the cluster."
        )
    return settings

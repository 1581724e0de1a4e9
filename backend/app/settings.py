"""All settings, each from the environment (`EXPLORER_…`) or the command line.

Built once in `run.py` and passed in; nothing else reads the environment.
"""

from __future__ import annotations

import atexit
import ipaddress
import json
import os
import shutil
import sys
import tempfile
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Port = Annotated[int, Field(ge=0, le=65_535)]

BACKEND_DIR = Path(__file__).resolve().parents[1]
POSTGRESQL_SCHEMES = ("postgresql", "postgres")
MIN_TOKEN_CHARS = 16
DATA_FOLDER_NAME = "mechanistic-explorer"
FITTED_LENSES = "lenses"


class Settings(BaseSettings):
    """Settings of one server process. Defaults suit a laptop without a network."""

    model_config = SettingsConfigDict(
        env_prefix="EXPLORER_",
        # `EXPLORER_LENSES=` in a shell or a compose file means that the variable is not set.
        env_ignore_empty=True,
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        use_attribute_docstrings=True,
    )

    model: str = Field("auto", min_length=1, max_length=512)
    """`auto` (GPT-2 where it can be had, else the embedded model), `embedded`, `gpt2`, any Hugging Face model id, a folder, or a GGUF file."""
    revision: str | None = Field(None, max_length=128)
    """Commit, tag or branch of the Hugging Face model; by default its main branch."""
    models_dir: Path | None = None
    """Folder whose models the page offers, besides the embedded one and those of the Hugging Face cache."""
    fixed_model: bool = False
    """Whether the model of the start stays: others are listed, but not loaded. Replicas of a cluster have it, since all must run the same one."""
    device: str = Field("auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")
    """Where the model runs: `auto` takes a CUDA GPU if there is one, else the CPU."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """What the blocks compute with. `auto` on the CPU: bfloat16 for weights that are stored so, where float32 with its packed copy would take more than half of the free memory, or where this processor multiplies bfloat16 itself and is measured to be faster at it; else float32. On a GPU: what the weights are stored in. Read-outs are float32 always."""
    threads: int = Field(0, ge=0, le=1024)
    """CPU threads for the model; 0 takes every core that this process may use."""

    engine: Literal["local", "ndif"] = "local"
    """Where the model runs: `local` is this machine, `ndif` an NDIF server, for models that fit no machine of yours."""
    ndif_host: SecretStr | None = Field(
        None, validation_alias=AliasChoices("EXPLORER_NDIF_HOST", "NDIF_HOST"), max_length=2048
    )
    """Address of the NDIF server, such as `https://api.ndif.us`; `NDIF_HOST` does as well. It is trusted with what people write."""
    ndif_api_key: SecretStr | None = Field(
        None, validation_alias=AliasChoices("EXPLORER_NDIF_API_KEY", "NDIF_API_KEY"), max_length=512
    )
    """Key for the NDIF server; `NDIF_API_KEY` does as well."""
    ndif_seconds: float = Field(300.0, gt=0, le=86_400)
    """Longest time that one job on NDIF may take, its waiting and the loading of the model included; afterwards it ends with `deadline_exceeded`."""

    lenses: Path | None = None
    """Folder of lenses that were fitted to the model; by default the folder `lenses` beside its weights."""

    host: str = "127.0.0.1"
    """Address to listen on. Any address that is not loopback needs `token` or `tokens_file`."""
    ports: Annotated[tuple[Port, ...], NoDecode] = Field((8000,), min_length=1, max_length=16)
    """Ports to listen on, such as `5173,8000`; the page and the API answer on each."""
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field((), max_length=64)
    """Host names besides localhost by which the server may be addressed, separated by commas."""
    token: SecretStr | None = None
    """Bearer token that every API request must carry; required when `host` is not loopback."""
    tokens_file: Path | None = None
    """File of people, each with a digest of their own token (`mechanistic-explorer token add NAME`), in place of `token`: each has their own conversations, jobs and share of the queue."""
    page_dir: Path = BACKEND_DIR.parent / "frontend" / "dist"
    """Folder of the built page; without it only the API is served."""
    dev_origin: str | None = None
    """Origin of a development server that may call the API, such as `http://localhost:5173`."""

    database: SecretStr | None = Field(None, max_length=2048)
    """Where conversations are kept: `sqlite:////file`, `postgresql://user@host/name`, or `memory` to keep them no longer than the server runs; by default a file in the user's data folder."""
    store_bytes: int = Field(512 * 2**20, ge=2**20)
    """Memory for residual streams and KV caches of recent conversations, in bytes."""
    store_dtype: Literal["float32", "float16"] = "float32"
    """How residual streams are kept: `float16` takes half the memory and is exact to three digits only."""
    packing: Literal["auto", "all", "unembedding", "none"] = "auto"
    """Which weights are laid out for fast products on the CPU; `auto`: as many as half of the free memory holds a second time."""
    readout_bytes: int | None = Field(None, ge=2**20)
    """Memory for the logits of one chunk of lens read-outs, in bytes; by default 64 MiB, or more where the model's vocabulary needs it for all layers of a token."""
    concurrency: int = Field(10, ge=1, le=1024)
    """Requests that are served in turns, token by token; others wait."""
    queue_capacity: int = Field(8, ge=1, le=1024)
    """Requests that may wait for the model; further ones are answered 429."""
    queue_per_client: int = Field(2, ge=1, le=1024)
    """Requests of one client that run, and that wait."""
    queue_seconds: float = Field(30.0, gt=0, le=86_400)
    """Longest time that a request may wait for the model; afterwards it ends with `queue_timeout`."""
    request_seconds: float = Field(600.0, gt=0, le=86_400)
    """Longest time one request may take; afterwards it ends with `deadline_exceeded`."""
    stalled_seconds: float = Field(60.0, gt=0)
    """Without a sign of life from the model thread for this long, while it works or is loaded, health says `stalled`."""
    shutdown_seconds: float = Field(20.0, ge=0)
    """Time that running replies get to finish when the server is asked to stop, or for another model."""

    user_label: str = Field("User", min_length=1, max_length=64)
    """Name of the person in the built-in chat template of base models."""
    assistant_label: str = Field("Assistant", min_length=1, max_length=64)
    """Name of the model in the built-in chat template of base models."""
    log_level: str = Field("INFO", pattern=r"^(DEBUG|INFO|WARNING|ERROR)$")
    """Prompts and replies are logged at DEBUG only."""

    @cached_property
    def fitted_lenses(self) -> Path:
        """Folder of lenses fitted to any model: beside the database. Raises NoDataFolder."""
        file = self.database_url.removeprefix("sqlite:///")
        if self.database is not None and self.database.get_secret_value() == "memory":
            folder = tempfile.mkdtemp(prefix="explorer-lenses-")
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
            return Path(folder)
        if file != self.database_url:
            return Path(file.partition("?")[0]).resolve().parent / FITTED_LENSES
        return data_folder() / FITTED_LENSES

    @property
    def database_url(self) -> str:
        """The URL of the database; may hold a password. Raises NoDataFolder."""
        if self.database is None:
            return f"sqlite:///{data_folder() / 'conversations.db'}"
        url = self.database.get_secret_value()
        if url == "memory":
            return "sqlite://"
        scheme, _, rest = url.partition("://")
        if scheme == "sqlite" and rest.startswith("/~"):
            return f"sqlite:///{Path(rest[1:]).expanduser()}"
        return f"postgresql+psycopg://{rest}" if scheme in POSTGRESQL_SCHEMES else url

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the server."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @field_validator("*", mode="before")
    @classmethod
    def only_unicode(cls, value: Any) -> Any:
        """Python hands bytes of the environment that are not UTF-8 over as lone surrogates."""
        if isinstance(value, str) and not value.isprintable():
            try:
                value.encode()
            except UnicodeEncodeError as error:
                raise ValueError(
                    f"{value!a} holds a byte that is not UTF-8 (character {error.start}); "
                    "rename the file or folder"
                ) from None
        return value

    @field_validator("lenses", "page_dir", "models_dir", "tokens_file")
    @classmethod
    def in_home_folder(cls, value: Path | None) -> Path | None:
        """Only a shell expands `~`; a compose file or a service unit hands it over as it is."""
        try:
            return value.expanduser() if value else value
        except RuntimeError:
            raise ValueError(
                f"there is no home folder for {value}; write an absolute path"
            ) from None

    @field_validator("ports", "allowed_hosts", mode="before")
    @classmethod
    def split_list(cls, value: Any) -> Any:
        """Environment variables hold lists as `a,b` or as JSON."""
        if not isinstance(value, str):
            return value
        if value.lstrip().startswith("["):
            return json.loads(value)
        return [part.strip() for part in value.split(",") if part.strip()]

    @field_validator("database")
    @classmethod
    def known_database(cls, value: SecretStr | None) -> SecretStr | None:
        """Never repeats the URL, which may hold a password."""
        url = value.get_secret_value() if value else ""
        if not url:
            return None
        if url != "memory" and url.partition("://")[0] not in ("sqlite", *POSTGRESQL_SCHEMES):
            raise ValueError(
                "write sqlite:////path/to/file, postgresql://user@host/name, or memory"
            )
        return value

    @field_validator("token")
    @classmethod
    def no_empty_token(cls, value: SecretStr | None) -> SecretStr | None:
        """An empty variable means that no token is set."""
        return value if value and value.get_secret_value() else None

    @model_validator(mode="after")
    def ndif_has_an_address(self) -> Settings:
        """Never repeats the address, which may hold a password."""
        if self.engine == "local":
            return self
        host = self.ndif_host.get_secret_value() if self.ndif_host else ""
        if not host.startswith(("http://", "https://")):
            raise ValueError(
                "EXPLORER_ENGINE=ndif needs EXPLORER_NDIF_HOST, such as https://api.ndif.us"
            )
        return self

    @model_validator(mode="after")
    def guarded_if_reachable(self) -> Settings:
        """Whoever can reach the server could use it, or guess a short token."""
        if self.token is not None and self.tokens_file is not None:
            raise ValueError("set EXPLORER_TOKEN for one user or EXPLORER_TOKENS_FILE for several")
        if not self.is_local and self.token is None and self.tokens_file is None:
            raise ValueError(
                f"other machines can reach {self.host}, so EXPLORER_TOKEN must be set, or for several "
                "people EXPLORER_TOKENS_FILE (or listen on 127.0.0.1)"
            )
        if self.is_local or self.token is None:
            return self
        if len(self.token.get_secret_value()) < MIN_TOKEN_CHARS:
            raise ValueError(
                f"EXPLORER_TOKEN has fewer than {MIN_TOKEN_CHARS} characters, which can be guessed "
                f"by the machines that can reach {self.host}; make one with: "
                'python -c "import secrets; print(secrets.token_urlsafe())"'
            )
        return self


class NoDataFolder(Exception):
    """This user has no folder of their own; the message is one line and says what to set."""


def data_folder() -> Path:
    """This user's folder for what the program keeps, by the custom of the operating system.

    Raises NoDataFolder where there is no home folder, as in a container run under a bare user id.
    """
    variable = {"darwin": None, "win32": "LOCALAPPDATA"}.get(sys.platform, "XDG_DATA_HOME")
    chosen = Path(os.environ.get(variable) or "") if variable else Path()
    if chosen.is_absolute():  # the XDG specification has relative ones ignored
        return chosen / DATA_FOLDER_NAME
    try:
        home = Path.home()
    except RuntimeError:
        home = Path()
    if not home.is_absolute():
        way_out = f", or {variable} to a folder that you may write" if variable else ""
        raise NoDataFolder(
            "There is no home folder to keep conversations in. Set EXPLORER_DATABASE to "
            f"`memory` or to sqlite:////path/to/file{way_out}."
        )
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / DATA_FOLDER_NAME
    if sys.platform == "win32":
        return home / "AppData" / "Local" / DATA_FOLDER_NAME
    return home / ".local" / "share" / DATA_FOLDER_NAME

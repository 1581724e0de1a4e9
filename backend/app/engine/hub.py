"""Models of the Hugging Face hub: found in the local cache, or downloaded into it.

Only what is needed is fetched: configuration, tokenizer and safetensors weights. Pickled weights
(`.bin`, `.pt`) can run code when they are read and are never downloaded.

huggingface_hub by itself tries for about half a minute before it believes that there is no
network, and a name server that does not answer is under no timeout at all. So one question decides
within `answer_seconds` whether the hub is there.
"""

from __future__ import annotations

import errno
import logging
import re
import shutil
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import httpx2
from huggingface_hub import HfApi, constants, hf_hub_download, try_to_load_from_cache
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.hf_api import ModelInfo
from tqdm import tqdm  # type: ignore[import-untyped]

from app.engine.checkpoint import (
    CONFIG_FILE,
    INDEX_FILE,
    WEIGHTS_FILE,
    is_complete,
    is_described,
    needed_files,
    needed_shards,
)
from app.engine.hub_settings import faulty_setting, proxy_in_use
from app.errors import HubUnreachable, ModelLoadError, ModelNotFound

logger = logging.getLogger(__name__)

OnProgress = Callable[[int, int | None], None]
"""Told of the bytes done and in all. What it raises ends the download."""

Result = TypeVar("Result")

LOG_EVERY_SECONDS = 5.0

UNSENDABLE = (httpx2.InvalidURL, ImportError, ValueError, TypeError, LookupError, AttributeError)
"""What the HTTP client raises for a proxy, an address or a token that it cannot use."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The files of one commit of a hub repository."""

    folder: Path
    revision: str
    """The commit."""


@dataclass(frozen=True, slots=True)
class Hub:
    """The hub and its local cache; by default those that huggingface_hub's own settings name."""

    endpoint: str | None = None
    cache_dir: Path | None = None

    def cached(
        self, repo: str, revision: str | None, *, with_weights: bool = True
    ) -> Snapshot | None:
        """The model as the cache holds it, if everything that is needed is there. Asks no network."""
        with_errors = _Explained(repo, repo, self._address)
        config = with_errors.call(
            lambda: try_to_load_from_cache(
                repo, CONFIG_FILE, cache_dir=self.cache_dir, revision=revision
            )
        )
        if not isinstance(config, str):
            return None
        folder = Path(config).parent
        is_enough = is_complete(folder) if with_weights else is_described(folder)
        return Snapshot(folder, folder.name) if is_enough else None

    def download(
        self,
        repo: str,
        revision: str | None,
        *,
        answer_seconds: float,
        on_progress: OnProgress | None = None,
        with_weights: bool = True,
    ) -> Snapshot:
        """Fetches what the cache lacks. The commit is looked up once, and all files are of it.

        Without weights only configuration and tokenizer are fetched.

        Raises HubUnreachable when the hub does not answer within `answer_seconds`, ModelNotFound
        for an unknown name or revision, and ModelLoadError for everything else that keeps the
        files away, each naming the way out.
        """
        asked = f"{repo} at {revision}" if revision else repo
        if str(self.cache).startswith("~"):
            raise ModelLoadError(
                f"There is no home folder to keep {asked} in.",
                hint="Set HF_HOME to a folder that you may write, or give a folder that holds the model.",
            )
        with_errors = _Explained(repo, asked, self._address)
        info = with_errors.call(
            lambda: _within(answer_seconds, lambda: self._info(repo, revision), self._address)
        )
        if info.sha is None:
            raise HubUnreachable(f"{self._address} did not say which commit {asked} is.")
        sizes = {file.rfilename: file.size for file in info.siblings or ()}
        names = needed_files(asked, sizes)
        if not with_weights:
            names = [name for name in names if name not in (WEIGHTS_FILE, INDEX_FILE)]
        elif INDEX_FILE in names:
            index = self._cached_file(repo, INDEX_FILE, info.sha) or with_errors.call(
                lambda: self._fetch(repo, INDEX_FILE, str(info.sha), None)
            )
            names += needed_shards(asked, index.parent, sizes)
        known_sizes = [size for name in names if (size := sizes[name]) is not None]
        total = sum(known_sizes) if len(known_sizes) == len(names) else None
        missing = [name for name in names if self._cached_file(repo, name, info.sha) is None]
        self._check_space(asked, sum(sizes[name] or 0 for name in missing))
        with _Progress(asked, total, on_progress) as progress:
            progress.advance(sum(sizes[n] or 0 for n in names if n not in missing))
            for name in missing:
                with_errors.call(partial(self._fetch, repo, name, info.sha, progress))
        config = self._cached_file(repo, CONFIG_FILE, info.sha)
        if config is None:
            raise ModelLoadError(f"{asked} vanished from the cache while it was being downloaded.")
        self._remember(repo, revision or constants.DEFAULT_REVISION, info.sha, config)
        return Snapshot(config.parent, info.sha)

    @property
    def cache(self) -> Path:
        """The folder of the cache."""
        return self.cache_dir or Path(constants.HF_HUB_CACHE)

    @property
    def _address(self) -> str:
        return self.endpoint or constants.ENDPOINT

    def _info(self, repo: str, revision: str | None) -> ModelInfo:
        return HfApi(endpoint=self.endpoint).model_info(
            repo, revision=revision, files_metadata=True, timeout=30
        )

    def _cached_file(self, repo: str, name: str, commit: str) -> Path | None:
        path = try_to_load_from_cache(repo, name, cache_dir=self.cache_dir, revision=commit)
        return Path(path) if isinstance(path, str) else None

    def _fetch(self, repo: str, name: str, commit: str, progress: _Progress | None) -> Path:
        path = hf_hub_download(
            repo,
            name,
            revision=commit,
            endpoint=self.endpoint,
            cache_dir=self.cache_dir,
            tqdm_class=None if progress is None else progress.bar_class(),
        )
        return Path(path)

    def _remember(self, repo: str, revision: str, commit: str, config: Path) -> None:
        """Notes which commit a branch was, once its files are complete, as huggingface_hub does."""
        if revision == commit:
            return
        note = config.parents[2] / "refs" / revision
        try:
            note.parent.mkdir(parents=True, exist_ok=True)
            note.write_text(commit)
        except OSError as error:
            logger.warning("%s will be looked up again at the next start: %s", repo, error)

    def _check_space(self, asked: str, needed: int) -> None:
        folder = self.cache
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        free = shutil.disk_usage(folder).free
        if free < needed:
            raise ModelLoadError(
                f"{asked} needs {_megabytes(needed)} more on the disk of the Hugging Face cache, "
                f"which has {_megabytes(free)} left.",
                hint="Free some space, or set HF_HOME to a folder on another disk.",
            )


@dataclass(frozen=True, slots=True)
class _Explained:
    """Turns what huggingface_hub raises into one clear line."""

    repo: str
    asked: str
    address: str

    def call(self, action: Callable[[], Result]) -> Result:
        # The order matters: the more special classes come first.
        try:
            return action()
        except GatedRepoError as error:
            raise ModelLoadError(
                f"{self.repo} is gated: its owners ask for consent before it can be downloaded.",
                hint=f"Accept the terms at {self.address}/{self.repo}, then set HF_TOKEN to a "
                "token of your account.",
            ) from error
        except RepositoryNotFoundError as error:
            raise ModelNotFound(
                f"There is no model {self.repo!r} on {self.address}, or it is private.",
                hint="Check the spelling (owner/name). For a private model set HF_TOKEN.",
            ) from error
        except RevisionNotFoundError as error:
            raise ModelNotFound(
                f"{self.asked} does not exist: {self.repo} has no such commit, tag or branch.",
                hint="Leave the revision out to take the main branch.",
            ) from error
        except OfflineModeIsEnabled as error:
            raise HubUnreachable(
                f"{self.asked} is not in the local cache and the hub may not be asked "
                "(HF_HUB_OFFLINE is set).",
                hint="Unset HF_HUB_OFFLINE once to download it, or give a folder.",
            ) from error
        except HfHubHTTPError as error:
            raise self._refused(error) from error
        except (httpx2.HTTPError, LocalEntryNotFoundError) as error:
            raise self._unreachable(error) from error
        except (OSError, RuntimeError) as error:
            if (fault := faulty_setting()) is not None:
                raise self._not_asked(fault) from error
            raise self._storage_failure(error) from error
        except UNSENDABLE as error:
            fault = faulty_setting() or f"{type(error).__name__}: {_first_line(error)}."
            raise self._not_asked(fault) from error

    def _not_asked(self, fault: str) -> HubUnreachable:
        return HubUnreachable(
            f"{self.asked} is not in the local cache, and {self.address} cannot be asked for it. "
            f"{fault}",
            hint="Correct that setting and start again, or give a folder.",
        )

    def _unreachable(self, error: Exception) -> HubUnreachable:
        # A token that cannot be sent would stand in the client's own message.
        if (fault := faulty_setting()) is not None:
            return self._not_asked(fault)
        through = proxy_in_use(self.address)
        return HubUnreachable(
            f"{self.asked} is not in the local cache and {self.address} could not be reached"
            f"{f' through {through}' if through else ''}: {_first_line(error)}.",
            hint="Check the network connection"
            + (" and the proxy" if through else "")
            + " and start again; finished files are kept.",
        )

    def _refused(self, error: HfHubHTTPError) -> ModelLoadError:
        status = error.response.status_code
        if status in (401, 403):
            return ModelLoadError(
                f"{self.address} refuses access to {self.repo} (HTTP {status}).",
                hint="Check that HF_TOKEN is valid and that its account may read this model.",
            )
        return HubUnreachable(
            f"{self.address} answered {self.asked} with HTTP {status}.",
            hint="Try again later, or give a folder.",
        )

    def _storage_failure(self, error: OSError | RuntimeError) -> ModelLoadError:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return ModelLoadError(
                f"The disk of the Hugging Face cache is full; {self.asked} was not downloaded.",
                hint="Free some space, or set HF_HOME to a folder on another disk.",
            )
        if isinstance(error, PermissionError):
            return ModelLoadError(
                f"The Hugging Face cache cannot be read or written ({error.filename}).",
                hint="Set HF_HOME to a folder that you may write.",
            )
        return ModelLoadError(
            f"The download of {self.asked} failed: {_first_line(error)}.",
            hint="Start again; finished files are kept.",
        )


def _within(seconds: float, action: Callable[[], Result], address: str) -> Result:
    """The result of `action`, or HubUnreachable when it takes longer than `seconds`.

    It runs on a thread of its own, because looking up a host name can neither be given a timeout
    nor be broken off.
    """
    answers: SimpleQueue[tuple[Result | None, Exception | None]] = SimpleQueue()

    def ask() -> None:
        try:
            answers.put((action(), None))
        except Exception as error:  # handed over to the caller's thread
            answers.put((None, error))

    threading.Thread(target=ask, name="hub-question", daemon=True).start()
    try:
        result, error = answers.get(timeout=seconds)
    except Empty:
        through = proxy_in_use(address)
        raise HubUnreachable(
            f"{address} did not answer{f' through {through}' if through else ''} within "
            f"{seconds:g} s.",
            hint="Check the network connection, or give a folder.",
        ) from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value]  # without an error there is a result


class _Progress:
    """Bytes done over all files: told to a callback, and drawn in a terminal or logged."""

    def __init__(self, asked: str, total: int | None, on_progress: OnProgress | None) -> None:
        self._asked = asked
        self._total = total
        self._done = 0
        self._on_progress = on_progress
        self._next_log = time.monotonic()
        self._bar: tqdm | None = None
        if sys.stderr.isatty():
            self._bar = tqdm(
                total=total, unit="B", unit_scale=True, desc=f"Downloading {asked}", leave=True
            )

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def advance(self, n: int) -> None:
        self._done += n
        if self._on_progress is not None:
            self._on_progress(self._done, self._total)
        if self._bar is not None:
            self._bar.update(n)
        elif time.monotonic() >= self._next_log:
            self._next_log = time.monotonic() + LOG_EVERY_SECONDS
            of_all = f" of {_megabytes(self._total)}" if self._total is not None else ""
            logger.info("Downloading %s: %s%s", self._asked, _megabytes(self._done), of_all)

    def bar_class(self) -> type[Any]:
        """What huggingface_hub takes for a progress bar: it draws nothing and passes on its counts."""
        progress = self

        class Bar(tqdm):  # type: ignore[misc]  # tqdm has no types
            def __init__(self, *args: Any, **options: Any) -> None:
                super().__init__(*args, **{**options, "disable": True})

            def update(self, n: float | None = 1) -> None:
                progress.advance(int(n or 0))

            # With these two, Xet downloads count bytes written and not also bytes transferred.
            def update_transfer(self, n: float | None = 1) -> None:
                pass

            def set_transfer_postfix_str(self, *args: Any, **options: Any) -> None:
                pass

        return Bar


def _megabytes(n: int) -> str:
    return f"{n / 1e6:,.1f} MB"


def _first_line(error: BaseException) -> str:
    lines: Sequence[str] = str(error).strip().splitlines() or [type(error).__name__]
    return re.sub(r"^\[Errno -?\d+\] ", "", lines[0]).rstrip(".")

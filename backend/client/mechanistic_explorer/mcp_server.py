"""A server of the Model Context Protocol over the API, for language models that use tools.

Its tools only read. It needs the package `mcp`: `pip install "mechanistic-explorer[mcp]"`.
"""

from __future__ import annotations

import functools
import inspect
import signal
import threading
from collections.abc import Callable

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools.base import Tool
from mcp.types import ToolAnnotations

from mechanistic_explorer import Explorer, ExplorerError, __version__
from mechanistic_explorer.mcp_tools import INSTRUCTIONS, Tools, WrongArguments

READS_ONLY = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)


def run(explorer: Explorer) -> None:
    """Serves on stdin and stdout until stdin is closed. Takes over Ctrl-C."""
    # The thread that waits for stdin cannot be interrupted, and Python would wait for it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    server_of(explorer).run("stdio")


def server_of(explorer: Explorer) -> MCPServer:
    """The tools over a server of Mechanistic Explorer, which need not run yet."""
    lock = threading.Lock()
    return MCPServer(
        "mechanistic-explorer",
        version=__version__,
        instructions=INSTRUCTIONS,
        tools=[tool(function, lock) for function in Tools(explorer).all()],
        log_level="WARNING",
    )


def tool(function: Callable[..., str], lock: threading.Lock) -> Tool:
    """The function as a tool, which refuses arguments that it does not have."""
    made = Tool.from_function(
        answering(function, lock),
        description=inspect.getdoc(function),
        annotations=READS_ONLY,
        structured_output=False,
    )
    arguments = made.fn_metadata.arg_model
    arguments.model_config["extra"] = "forbid"
    arguments.model_rebuild(force=True)
    made.parameters = arguments.model_json_schema(by_alias=True)
    return made


def answering(function: Callable[..., str], lock: threading.Lock) -> Callable[..., str]:
    """The function one call at a time, since each runs on a thread, with its failures as tool errors."""

    @functools.wraps(function)
    def answer(**arguments: object) -> str:
        try:
            with lock:
                return function(**arguments)
        except (ExplorerError, WrongArguments) as failure:
            raise ToolError(str(failure)) from failure

    return answer

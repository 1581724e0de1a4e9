"""Starts the server: `python run.py [--model gpt2] [--port 8000] …`; see --help."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.server import Server


class StartedAs(argparse.Action):
    """Sets the name that help and errors have: that of the command which started this program."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        del namespace, option_string
        parser.prog = str(values)


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Mechanistic Explorer: chat with a language model and see each prediction form.",
        epilog="Each option is also an environment variable, such as EXPLORER_MODEL; more of them "
        "are described in docs/usage.md. An option outranks its variable.",
    )
    # First of all options, since a later one may print help.
    parser.add_argument(
        "--started-as", action=StartedAs, default=argparse.SUPPRESS, help=argparse.SUPPRESS
    )
    parser.add_argument(
        "--model",
        help="auto (default), gpt2, any Hugging Face model id, a folder, a GGUF file, or embedded",
    )
    parser.add_argument("--revision", help="commit, tag or branch of a Hugging Face model")
    parser.add_argument("--device", help="auto (default), cpu, cuda, cuda:1 or mps")
    parser.add_argument("--threads", type=int, help="CPU threads for the model; 0 takes every core")
    parser.add_argument("--host", help="address to listen on (default 127.0.0.1)")
    parser.add_argument(
        "--port",
        type=int,
        action="append",
        dest="ports",
        help="port to listen on (default 8000); may be given several times",
    )
    parser.add_argument(
        "--allowed-host",
        action="append",
        dest="allowed_hosts",
        metavar="NAME",
        help="name besides localhost by which the server may be addressed; may be repeated",
    )
    parser.add_argument("--log-level", help="DEBUG, INFO (default), WARNING or ERROR")
    parser.add_argument(
        "--until-stdin-closes",
        action="store_true",
        help="stop when the standard input is closed, as it is when the program that started this ends",
    )
    parser.add_argument("--open", action="store_true", help="open the page in a browser")
    return parser.parse_args(argv)


def stop_at_end_of_stdin(server: Server) -> None:
    """As the first signal to stop does: running replies may finish."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    server.handle_exit(signal.SIGTERM, None)


def main() -> int:
    from app.console import prepare_console, say

    prepare_console()
    options = vars(parse())
    opens_browser = options.pop("open")
    ends_with_stdin = options.pop("until_stdin_closes")
    # Imported after the arguments are read, so that --help is quick; torch comes much later still.
    from pydantic import ValidationError

    from app.listening import CannotListen, bind_sockets
    from app.settings import NoDataFolder, Settings

    try:
        settings = Settings(**{name: value for name, value in options.items() if value is not None})
        sockets = bind_sockets(settings.host, settings.ports)
    except ValidationError as failure:
        first = failure.errors(include_url=False, include_input=False)[0]
        name = ".".join(map(str, first["loc"])) or "settings"
        print(f"Error: {name}: {first['msg'].removeprefix('Value error, ')}", file=sys.stderr)
        return 2
    except CannotListen as failure:
        print(f"Error: {failure}", file=sys.stderr)
        return 1

    from app import __version__
    from app.api.people import BadTokensFile
    from app.main import create_app
    from app.server import Server

    say(f"Mechanistic Explorer {__version__}")
    logging.basicConfig(
        level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    # Its start and stop are told below in our own words.
    logging.getLogger("uvicorn.error").setLevel(max(logging.WARNING, logging.root.level))
    try:
        app = create_app(settings)
    except NoDataFolder as failure:
        print(f"Error: {failure}", file=sys.stderr)
        return 1
    except BadTokensFile as failure:
        print(f"Error: {failure}", file=sys.stderr)
        return 2
    server = Server(app, settings, announce=say, opens_browser=opens_browser)
    if ends_with_stdin:
        threading.Thread(target=stop_at_end_of_stdin, args=(server,), daemon=True).start()
    server.run(sockets)
    say("Stopped.")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)

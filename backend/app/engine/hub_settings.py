"""Which of this machine's settings keeps the hub away: a proxy, a certificate file or a token.

The HTTP client reads them from the environment and fails on an odd one in many ways (ImportError,
ValueError, UnicodeEncodeError …), before anything is sent. Here the culprit is looked for, so that
the message can name the variable. Secrets are never repeated.
"""

from __future__ import annotations

import os
import re
from urllib.request import getproxies_environment

import httpx2
from huggingface_hub import constants, get_token


def faulty_setting() -> str | None:
    """A sentence about the setting that no request can be made with; None where all are usable."""
    return _faulty_token() or _faulty_proxy() or _faulty_certificates()


def proxy_in_use(address: str) -> str | None:
    """The variable that names the proxy for this address, and its value without a password."""
    scheme = address.partition("://")[0].lower()
    proxies = getproxies_environment()
    for kind in (scheme, "all"):
        if proxies.get(kind):
            return f"{_variable(kind)} ({_without_secrets(proxies[kind])})"
    return None


def _faulty_token() -> str | None:
    token = get_token() or ""
    if not (odd := re.search(r"[^!-~]", token)):
        return None
    source = (
        "HF_TOKEN"
        if os.environ.get("HF_TOKEN") or os.environ.get("HUGGING_FACE_HUB_TOKEN")
        else f"The token in {constants.HF_TOKEN_PATH}"
    )
    return (
        f"{source} holds a character that no token has (U+{ord(odd[0]):04X}, character "
        f"{odd.start() + 1} of {len(token)}). Copy the token again."
    )


def _faulty_proxy() -> str | None:
    for kind, value in getproxies_environment().items():
        if kind not in ("http", "https", "all"):
            continue
        shown = f"{_variable(kind)} ({_without_secrets(value)})"
        try:
            # Without a certificate store, which takes longest to make and is not looked at here.
            httpx2.HTTPTransport(proxy=httpx2.Proxy(_with_scheme(value)), verify=False).close()
        except ImportError:
            return (
                f"{shown} names a SOCKS proxy, which needs the Python package socksio. Install it "
                "beside this program's packages, or name an HTTP proxy."
            )
        except (ValueError, TypeError, httpx2.InvalidURL) as error:
            reason = str(error).partition(" for proxy URL")[0].rstrip(".")
            return f"{shown} is not the address of a proxy: {reason}. Write http://host:port."
    return None


def _faulty_certificates() -> str | None:
    path = os.environ.get("SSL_CERT_FILE")
    if not path:
        return None
    if not os.path.exists(path):
        return f"SSL_CERT_FILE names {path}, which does not exist."
    try:
        httpx2.create_ssl_context()
    except OSError as error:  # ssl.SSLError is one
        return f"SSL_CERT_FILE names {path}, which cannot be used: {error}."
    return None


def _with_scheme(value: str) -> str:
    return value if "://" in value else f"http://{value}"


def _variable(kind: str) -> str:
    """The variable as it is written on this machine; lower case comes first, as for the client."""
    lower = f"{kind}_proxy"
    return lower if os.environ.get(lower) else lower.upper()


def _without_secrets(value: str) -> str:
    """The address up to `@` may be a name and a password."""
    scheme, separator, rest = value.rpartition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"

"""Whose request is being served, on a server that several people share.

Set once per request by the check of its token (`api/security.py`), and inherited by every task that the
request begins. Whatever is stored or read for it is bound to this person by the database itself
(`storage/database.py`), so no service can forget to ask.
"""

from __future__ import annotations

from contextvars import ContextVar

person: ContextVar[str | None] = ContextVar("person", default=None)
"""Name of the person; None on a server that has one user."""

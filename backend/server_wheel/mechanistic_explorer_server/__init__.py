"""The folder of the installed server: `backend/run.py` starts it, as in a checkout.

Nothing here is imported by other programs: the server runs in a process of its own.
"""

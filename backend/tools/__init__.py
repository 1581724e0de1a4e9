"""What `make` calls: set-up, start, tests and checks.

Standard library only (`app.listening` too is no more): it runs before anything is installed.
"""

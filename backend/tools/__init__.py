"""What `make` calls: set-up, start, tests and checks. Standard library only, so that it runs first."""

"""Many replicas of the server behind Ray Serve; docs/cluster.md says when and how.

Only `make cluster` and `serve run` import this. Ray is an extra (requirements-cluster.txt), which the
server itself never needs. `front.py` and `postgresql.py` do without it.
"""

"""What stands in for production services on a laptop.

Here are the launchers of the embedded PostgreSQL and Valkey, the sandbox AWS, the demo data, and the
commands behind `make up` and `make test`. Nothing in production imports this package.
"""

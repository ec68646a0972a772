"""What exists: use cases, model groups and versions, accounts, shares, deployments, people."""

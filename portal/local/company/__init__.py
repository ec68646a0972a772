"""The demo's company: who works there, what it builds, and three months of it, played through the services."""

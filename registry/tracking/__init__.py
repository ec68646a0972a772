"""The gateway to MLflow tracking servers: frozen records, named errors, no Django. How it is reached is handed in."""

"""Settings are values only: `base` reads the environment, `local`, `test` and `production` differ from it."""

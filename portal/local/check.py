"""`make check`: everything that can be known without running the portal.

All checks run, also after one failed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from portal.local.home import PROJECT

BIN = Path(sys.executable).parent
PYTHON = sys.executable
# Values of the right shape that open nothing: the checks read the production settings, they connect nowhere.
PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "portal.settings.production",
    "PORTAL_SECRET_KEY": "".join(chr(33 + (n * 47) % 90) for n in range(80)),
    "PORTAL_ALLOWED_HOSTS": "portal.example.org",
    "PORTAL_TRUSTED_ORIGINS": "https://portal.example.org",
    "PORTAL_PUBLIC_URL": "https://portal.example.org",
    "DATABASE_URL": "postgresql://portal:portal@127.0.0.1:1/portal",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "PORTAL_EVIDENCE_BUCKET": "portal-evidence",
    "PORTAL_EVIDENCE_REGION": "eu-central-1",
    "PORTAL_PACKS_BUCKET": "portal-packs",
    "PORTAL_PACKS_REGION": "eu-central-1",
}
TEMPLATES = [PROJECT / "docs" / "examples" / "codepipeline" / "pipeline.yaml"]
TEST = {**PRODUCTION, "DJANGO_SETTINGS_MODULE": "portal.settings.test"}
CHECKS: dict[str, tuple[list[str], dict[str, str]]] = {
    "ruff check": ([str(BIN / "ruff"), "check", "."], {}),
    "ruff format": ([str(BIN / "ruff"), "format", "--check", "--quiet", "."], {}),
    "mypy": ([str(BIN / "mypy")], TEST),
    "import contracts": ([str(BIN / "lint-imports")], {}),
    "check --deploy": ([PYTHON, "manage.py", "check", "--deploy", "--fail-level", "WARNING"], PRODUCTION),
    # It warns that it cannot ask a database about applied migrations; there is none here.
    "makemigrations --check": (
        [PYTHON, "-W", "ignore::RuntimeWarning", "manage.py", "makemigrations", "--check", "--dry-run"],
        PRODUCTION,
    ),
    "cfn-lint": ([str(BIN / "cfn-lint"), *sorted(map(str, [*PROJECT.glob("deploy/*.yaml"), *TEMPLATES]))], {}),
    "architecture tests": ([PYTHON, "-m", "pytest", "-q", "tests/architecture"], TEST),
}


def main() -> int:
    """Run every check, print one line for each and the output of those that failed; return 1 if any did."""
    failed = []
    with tempfile.TemporaryDirectory(prefix="portal-check-") as home:
        for name, (command, environment) in CHECKS.items():
            began = time.monotonic()
            done = subprocess.run(
                command,
                cwd=PROJECT,
                env={**_clean(), "PORTAL_HOME": home, **environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            print(
                f"{'FAILED' if done.returncode else 'ok':<7}{name} ({time.monotonic() - began:.0f} s)",
                flush=True,
            )
            if done.returncode:
                failed.append(name)
                print("".join(f"       {line}\n" for line in done.stdout.splitlines()), flush=True)
    if failed:
        print(f"make check: failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _clean() -> dict[str, str]:
    """Return this environment without what a developer's shell may say of the portal."""
    foreign = ("AWS_", "DJANGO_", "PORTAL_", "DATABASE_URL", "REDIS_URL", "MAKE", "MFLAGS")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}


if __name__ == "__main__":
    sys.exit(main())

"""Keep the vendored front-end files true to the npm packages they came from.

The portal serves every script, style and icon itself, so that no page needs a network beyond its own and the
content security policy can say ``'self'``. ``portal/static/vendor/manifest.json`` lists each file with its
package, version, licence and SHA-256; it is both the shopping list and the seal.

    python -m portal.local.vendor_assets                  verify what is on disk (no network)
    python -m portal.local.vendor_assets --refresh        fetch again with npm, refuse anything that differs
    python -m portal.local.vendor_assets --update         fetch and write new hashes (after editing a version)
    python -m portal.local.vendor_assets --add-icon NAME  vendor one more Tabler icon

``docs/vendored-assets.md`` is the same list for people, with the licences; whatever writes the manifest writes it too.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NotRequired, TypedDict

VENDOR_ROOT = Path(__file__).resolve().parents[1] / "static" / "vendor"
MANIFEST = VENDOR_ROOT / "manifest.json"
LISTING = Path(__file__).resolve().parents[2] / "docs" / "vendored-assets.md"
ICON_PACKAGE = "@tabler/icons"

# Hashed static storage fails on a source map that was not shipped, and the maps are larger than the files.
_SOURCE_MAP = re.compile(rb"\n?(?:/\*[#@]\s*sourceMappingURL=[^*]*\*/|//[#@]\s*sourceMappingURL=[^\n]*)\n?")


class VendoredFile(TypedDict):
    """One file: where it lies in the package, where it lies under ``static/vendor``, and its SHA-256."""

    member: str
    file: str
    sha256: str


class VendoredPackage(TypedDict):
    """One npm package at one exact version, with its licence and the files taken from it."""

    name: str
    version: str
    licence: str
    note: NotRequired[str]
    files: list[VendoredFile]


class VendorError(Exception):
    """A vendored file is missing, unlisted or not what the manifest says."""


class NpmUnavailable(VendorError):
    """npm is needed to fetch a package and could not be run."""


def read_manifest(path: Path = MANIFEST) -> list[VendoredPackage]:
    """Read the packages listed in the manifest."""
    packages: list[VendoredPackage] = json.loads(path.read_text(encoding="utf-8"))["packages"]
    return packages


def write_manifest(packages: list[VendoredPackage], path: Path = MANIFEST) -> None:
    """Write the manifest with files in a stable order, so that a refresh makes a readable difference."""
    for package in packages:
        package["files"].sort(key=lambda entry: entry["file"])
    path.write_text(json.dumps({"packages": packages}, indent=2) + "\n", encoding="utf-8")
    if path == MANIFEST:
        LISTING.write_text(listing(packages), encoding="utf-8")


def listing(packages: Sequence[VendoredPackage]) -> str:
    """Return the list of what is vendored as people read it: packages with their licence, then every file's hash."""
    lines = [
        "# Vendored front-end files",
        "",
        "Written by `python -m portal.local.vendor_assets`; the same command compares it with what is on disk.",
        "htmx is not here: the django-htmx package brings it, pinned with its hash in `requirements/`.",
        "",
        "| package | version | licence | licence text | note |",
        "|---|---|---|---|---|",
    ]
    for package in packages:
        texts = [entry["file"] for entry in package["files"] if "licen" in entry["file"].lower()]
        text = ", ".join(f"`{name}`" for name in texts) or "in the head of each file"
        lines.append(
            f"| {package['name']} | {package['version']} | {package['licence']} | {text} | {package.get('note', '')} |"
        )
    lines += ["", "| file under `portal/static/vendor` | SHA-256 |", "|---|---|"]
    for package in packages:
        lines += [f"| `{entry['file']}` | `{entry['sha256']}` |" for entry in package["files"]]
    return "\n".join(lines) + "\n"


def strip_source_map(content: bytes) -> bytes:
    """Remove ``sourceMappingURL`` comments from a script or style sheet."""
    return _SOURCE_MAP.sub(b"\n", content)


def sha256(content: bytes) -> str:
    """Return the hexadecimal SHA-256 of some bytes."""
    return hashlib.sha256(content).hexdigest()


def problems(root: Path = VENDOR_ROOT) -> list[str]:
    """List everything in which the vendor directory and its manifest disagree; empty when all is well."""
    found: list[str] = []
    listed: set[str] = set()
    for package in read_manifest(root / MANIFEST.name):
        for entry in package["files"]:
            listed.add(entry["file"])
            path = root / entry["file"]
            if not path.is_file():
                found.append(f"{entry['file']}: listed in the manifest but missing on disk")
                continue
            content = path.read_bytes()
            if sha256(content) != entry["sha256"]:
                found.append(f"{entry['file']}: differs from {package['name']} {package['version']}")
            if b"sourceMappingURL" in content:
                found.append(f"{entry['file']}: still names a source map")
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_file() and name != MANIFEST.name and name not in listed:
            found.append(f"{name}: on disk but not in the manifest")
    if root == VENDOR_ROOT and _read(LISTING) != listing(read_manifest()):
        found.append(f"{LISTING.name}: does not list what the manifest does")
    return found


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _fetch(package: VendoredPackage) -> Iterator[tuple[VendoredFile, bytes]]:
    """Download one package with npm and yield its listed files, source maps stripped."""
    npm = shutil.which("npm")
    if npm is None:
        raise NpmUnavailable("npm was not found on PATH; it is needed only to refresh vendored files.")
    wanted = f"{package['name']}@{package['version']}"
    with tempfile.TemporaryDirectory() as directory:
        run = subprocess.run(
            [npm, "pack", wanted, "--silent", "--pack-destination", directory],
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode != 0:
            raise NpmUnavailable(f"npm pack {wanted} failed: {run.stderr.strip() or run.stdout.strip()}")
        archive = next(Path(directory).glob("*.tgz"))
        with tarfile.open(archive) as tar:
            for entry in package["files"]:
                try:
                    member = tar.extractfile(f"package/{entry['member']}")
                except KeyError:
                    member = None
                if member is None:
                    raise VendorError(f"{wanted} holds no {entry['member']}")
                yield entry, strip_source_map(member.read())


def refresh(*, update: bool = False, root: Path = VENDOR_ROOT) -> int:
    """Fetch every listed file again and write it; return how many files were written.

    With ``update`` the manifest takes the new hashes. Without it nothing is written unless every fetched file
    matches the manifest: raises ``VendorError`` naming each file that differs.
    """
    packages = read_manifest(root / MANIFEST.name)
    fetched: dict[str, bytes] = {}
    differing: list[str] = []
    for package in packages:
        for entry, content in _fetch(package):
            digest = sha256(content)
            if digest != entry["sha256"] and not update:
                differing.append(f"{entry['file']} ({package['name']} {package['version']})")
            entry["sha256"] = digest
            fetched[entry["file"]] = content
    if differing:
        raise VendorError(
            "These files differ from the manifest; nothing was written. "
            "Use --update if the change is wanted: " + ", ".join(differing)
        )
    for name, content in fetched.items():
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    if update:
        write_manifest(packages, root / MANIFEST.name)
    return len(fetched)


def add_icons(names: Sequence[str], root: Path = VENDOR_ROOT) -> None:
    """Add Tabler outline icons to the manifest and fetch them."""
    packages = read_manifest(root / MANIFEST.name)
    package = next(entry for entry in packages if entry["name"] == ICON_PACKAGE)
    present = {entry["file"] for entry in package["files"]}
    for name in names:
        file = f"tabler-icons/{name}.svg"
        if file not in present:
            package["files"].append(VendoredFile(member=f"icons/outline/{name}.svg", file=file, sha256=""))
    for entry, content in _fetch(package):
        if not entry["sha256"]:
            entry["sha256"] = sha256(content)
            (root / entry["file"]).parent.mkdir(parents=True, exist_ok=True)
            (root / entry["file"]).write_bytes(content)
    write_manifest(packages, root / MANIFEST.name)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; 0 when the vendored files are in order."""
    parser = argparse.ArgumentParser(description="Verify or refresh the vendored front-end files.")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--refresh", action="store_true", help="fetch with npm, refuse what differs")
    action.add_argument("--update", action="store_true", help="fetch with npm and write new hashes")
    action.add_argument("--add-icon", nargs="+", metavar="NAME", help="vendor more Tabler outline icons")
    options = parser.parse_args(argv)
    try:
        if options.add_icon:
            add_icons(options.add_icon)
        elif options.refresh or options.update:
            print(f"{refresh(update=options.update)} files written")
    except VendorError as error:
        print(error, file=sys.stderr)
        return 1
    found = problems()
    for line in found:
        print(line, file=sys.stderr)
    if not found:
        print("The vendored files match their manifest.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

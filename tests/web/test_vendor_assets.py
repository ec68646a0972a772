"""The vendored front-end files are exactly what their manifest says, and every icon that is named exists."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from portal.core.templatetags import palette
from portal.core.templatetags.icons import ICON_ROOT, UnknownIcon, icon_svg
from portal.local import vendor_assets

ROOT = Path(__file__).resolve().parents[2]
COMMENT = re.compile(r"\{% comment %\}.*?\{% endcomment %\}", re.DOTALL)
ICON_TAG = re.compile(r"""\{%\s*icon\s+"([^"]+)"|\bicon="([a-z0-9-]+)\"""")


def test_every_vendored_file_matches_its_manifest() -> None:
    assert vendor_assets.problems() == []


def test_every_package_names_version_and_licence() -> None:
    for package in vendor_assets.read_manifest():
        assert re.fullmatch(r"\d+\.\d+\.\d+", package["version"]), package["name"]
        assert package["licence"], package["name"]
        assert package["files"], package["name"]


def test_people_can_read_the_same_list_with_every_hash_and_the_licences() -> None:
    packages = vendor_assets.read_manifest()
    written = vendor_assets.LISTING.read_text(encoding="utf-8")
    assert written == vendor_assets.listing(packages)
    for package in packages:
        assert f"| {package['name']} | {package['version']} | {package['licence']} |" in written
        assert all(entry["sha256"] in written for entry in package["files"])
    for name in ("chart.js/LICENSE.md", "cytoscape/LICENSE", "cytoscape-dagre/LICENSE", "dagre/LICENSE"):
        assert "Permission is hereby granted" in (vendor_assets.VENDOR_ROOT / name).read_text(encoding="utf-8")


def test_a_changed_an_unlisted_and_a_missing_file_are_each_reported(tmp_path: Path) -> None:
    copy = tmp_path / "vendor"
    shutil.copytree(vendor_assets.VENDOR_ROOT, copy)
    assert vendor_assets.problems(copy) == []
    (copy / "tabler-icons" / "check.svg").write_text("<svg></svg>")
    (copy / "tabler-icons" / "x.svg").unlink()
    (copy / "stray.js").write_text("//# sourceMappingURL=stray.js.map")
    found = "\n".join(vendor_assets.problems(copy))
    assert "tabler-icons/check.svg: differs from @tabler/icons" in found
    assert "tabler-icons/x.svg: listed in the manifest but missing on disk" in found
    assert "stray.js: on disk but not in the manifest" in found


@pytest.mark.parametrize(
    ("content", "stripped"),
    [
        (b"a{}\n/*# sourceMappingURL=a.css.map */", b"a{}\n"),
        (b"f();\n//# sourceMappingURL=a.js.map", b"f();\n"),
        (b"f();\n", b"f();\n"),
    ],
)
def test_source_map_comments_are_stripped(content: bytes, stripped: bytes) -> None:
    assert vendor_assets.strip_source_map(content) == stripped


def test_every_icon_named_in_a_template_is_vendored() -> None:
    named = {
        name
        for template in (ROOT / "templates").rglob("*.html")
        for pair in ICON_TAG.findall(template.read_text(encoding="utf-8"))
        for name in pair
        if name
    }
    assert named, "no template names an icon: the pattern of this test no longer fits"
    assert sorted(name for name in named if not (ICON_ROOT / f"{name}.svg").is_file()) == []


def test_every_icon_of_the_palette_is_vendored() -> None:
    for _kind, _value, look in palette.looks():
        assert icon_svg(look.icon)


def test_an_unknown_icon_says_how_to_add_it() -> None:
    with pytest.raises(UnknownIcon, match="--add-icon no-such-icon"):
        icon_svg("no-such-icon")
    with pytest.raises(UnknownIcon):
        icon_svg("../../../../etc/passwd")


def test_our_own_files_keep_to_the_content_security_policy() -> None:
    for path in (ROOT / "templates").rglob("*.html"):
        text = COMMENT.sub("", path.read_text(encoding="utf-8"))
        assert not re.search(r"<[^>{]*\sstyle\s*=", text), f"{path.name}: style attribute"
        assert not re.search(r"<[^>{]*\son[a-z]+\s*=", text), f"{path.name}: inline handler"
        assert not re.search(r"<style|<script(?![^>]*\bsrc=)", text), f"{path.name}: inline script or style"
        assert "javascript:" not in text, f"{path.name}: javascript: address"
        assert "://" not in text, f"{path.name}: an address outside the portal"

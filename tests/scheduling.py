"""Which tests stay together on one of the processes that share them."""

from __future__ import annotations

from xdist.scheduler import LoadFileScheduling

# Their files share what takes long to start.
TOGETHER = ("tests/e2e/started/",)


class LoadFileOrFolder(LoadFileScheduling):
    """A file is one piece of work, as in `--dist loadfile`; the files of some folders are one together."""

    def _split_scope(self, nodeid: str) -> str:
        scope: str = super()._split_scope(nodeid)
        return next((folder for folder in TOGETHER if scope.startswith(folder)), scope)

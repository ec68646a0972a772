#!/usr/bin/env python3
"""Run a management command under the local settings unless DJANGO_SETTINGS_MODULE says otherwise."""

from __future__ import annotations

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings.local")
    from django.core.management import execute_from_command_line

    from portal.core.room import with_room

    with_room(execute_from_command_line)(sys.argv)


if __name__ == "__main__":
    main()

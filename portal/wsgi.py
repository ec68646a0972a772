"""WSGI entry point, served by granian."""

from __future__ import annotations

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from portal.core.left_out import left_out
from portal.core.room import with_room

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings.production")

# Everything a page needs is loaded before the first request, and then left out of garbage collection: going through a
# quarter of a million objects that never go away held up every so manieth page by more than a tenth of a second.
with left_out():
    application = with_room(get_wsgi_application())
    assert get_resolver().reverse_dict
gc.collect()
gc.freeze()
# Once more, with nothing left to go through: until then it would wait for a quarter of what it counted before, which is
# ten megabytes of what requests leave behind.
gc.collect()

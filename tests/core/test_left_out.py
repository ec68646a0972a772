"""What web processes do without: libraries of megabytes that no page needs, until something does."""

from __future__ import annotations

import subprocess
import sys

# In the order of their weight.
LEFT_OUT = (
    "botocore",
    "requests",
    "django.test",
    "jinja2",
    "openpyxl",
    "jsonschema_rs",
    "pygments",
    "unittest",
    "typst",
)

SCRIPT = f"""
import sys
from portal.wsgi import application
print(*(name for name in {LEFT_OUT!r} if name in sys.modules))

import requests, rest_framework
from drf_spectacular.plumbing import build_mock_request
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

assert requests.get and rest_framework.test.APIRequestFactory is APIRequestFactory
print(build_mock_request("POST", "/somewhere/", APIView(), None).method)
"""


def test_a_web_process_starts_without_them_and_can_load_them_afterwards() -> None:
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout.split("\n")) == (0, ["", "POST", ""]), run.stderr

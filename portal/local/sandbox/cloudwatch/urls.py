"""Route CloudWatch to the sandbox's responses."""

from moto.cloudwatch.urls import url_bases  # noqa: F401 - moto reads it from here

from .responses import SandboxCloudWatchResponse

url_paths = {"{0}/$": SandboxCloudWatchResponse.dispatch}

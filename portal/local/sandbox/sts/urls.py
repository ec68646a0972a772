"""Route STS to the sandbox's responses."""

from moto.sts.urls import url_bases  # noqa: F401

from .responses import SandboxTokenResponse

url_paths = {"{0}/$": SandboxTokenResponse.dispatch}

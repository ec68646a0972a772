"""Route IAM to the sandbox's responses."""

from moto.iam.urls import url_bases  # noqa: F401

from .responses import SandboxIamResponse

url_paths = {"{0}/$": SandboxIamResponse.dispatch}

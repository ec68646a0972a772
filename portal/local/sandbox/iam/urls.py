"""Route IAM to the sandbox's responses."""

from moto.iam.urls import url_bases  # noqa: F401 - moto reads it from here

from .responses import SandboxIamResponse

url_paths = {"{0}/$": SandboxIamResponse.dispatch}

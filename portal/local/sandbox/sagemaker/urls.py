"""Route SageMaker to the sandbox's responses."""

from moto.sagemaker.urls import url_bases  # noqa: F401

from .responses import SandboxSageMakerResponse

url_paths = {"{0}/$": SandboxSageMakerResponse.dispatch}

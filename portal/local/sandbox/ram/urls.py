"""Route every operation of RAM's model to the sandbox's responses, so that an unknown one is named and not a 404."""

from moto.core.utils import get_service_model
from moto.ram.urls import url_bases  # noqa: F401

from .responses import SandboxRamResponse

_model = get_service_model("ram")
url_paths = {
    "{0}" + _model.operation_model(name).http["requestUri"] + "$": SandboxRamResponse.dispatch
    for name in _model.operation_names
}

"""Which ports the portal takes, and what it says when one is not to be had."""

from __future__ import annotations

import os
import socket

import pytest

from portal.local.errors import LocalError
from portal.local.ports import Ports, free_ports, is_free, ports_from, require_free


def test_the_other_ports_follow_from_the_web_port() -> None:
    assert ports_from({}) == Ports(web=8000, postgres=8001, valkey=8002, sandbox=8003)
    assert ports_from({"PORTAL_PORT": "9000"}) == Ports(9000, 9001, 9002, 9003)
    assert ports_from({"PORTAL_PORT": "32764"}).sandbox == 32767
    assert ports_from({"PORTAL_PORT": "1024"}).web == 1024


@pytest.mark.parametrize("text", ["32765", "32768", "1023", "80", "0", "99999999"])
def test_a_port_out_of_range_is_refused_with_the_range(text: str) -> None:
    with pytest.raises(LocalError, match=r"between 1024 and 32764"):
        ports_from({"PORTAL_PORT": text})


@pytest.mark.parametrize("text", ["abc", "-1", "8000.0", "²", "80 90"])
def test_a_port_that_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(LocalError, match="not a port number"):
        ports_from({"PORTAL_PORT": text})


def test_a_taken_port_is_named_with_its_purpose_its_holder_and_the_way_out() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", free_ports(1)[0]))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(LocalError) as refusal:
            require_free(port, "Valkey")
    assert f"Port {port} is taken by process {os.getpid()}" in str(refusal.value)
    assert "needed for Valkey" in str(refusal.value)
    assert "PORTAL_PORT" in str(refusal.value)


def test_a_port_taken_on_all_addresses_is_taken() -> None:
    with socket.socket() as holder:
        holder.bind(("0.0.0.0", free_ports(1)[0]))
        holder.listen()
        assert not is_free(holder.getsockname()[1])


def test_free_ports_are_different_free_and_below_the_range_of_outgoing_connections() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    assert all(port < 32768 and is_free(port) for port in ports)


def test_too_few_free_ports_is_an_error() -> None:
    with pytest.raises(LocalError, match="Fewer than 3 free ports"):
        free_ports(3, low=31000, high=31001)

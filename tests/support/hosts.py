"""Several hosts on one machine: network namespaces on a bridge of their own, whose cables can be pulled."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.needs import require


def _ip(*arguments: str, check: bool = True) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0 or not check, f"ip {' '.join(arguments)}: {done.stderr}"


class Network:
    """A bridge, with this process at `gateway` and hosts beside it. Nothing leads outside."""

    def __init__(self) -> None:
        self._mark = os.getpid() % 100_000
        self._prefix = f"10.231.{os.getpid() % 254}"
        self._bridge = f"evbr{self._mark}"
        self._hosts: list[str] = []
        self.gateway = f"{self._prefix}.1"

    def make(self) -> None:
        _ip("link", "add", self._bridge, "type", "bridge")
        _ip("address", "add", f"{self.gateway}/24", "dev", self._bridge)
        _ip("link", "set", self._bridge, "up")

    def add(self, host: str) -> str:
        """A host of that short name; its address."""
        address = f"{self._prefix}.{10 + len(self._hosts)}"
        self._hosts.append(host)
        space, cable = self._space(host), self._cable(host)
        _ip("netns", "add", space)
        _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", space)
        _ip("link", "set", cable, "master", self._bridge, "up")
        _ip("-netns", space, "address", "add", f"{address}/24", "dev", "eth0")
        _ip("-netns", space, "link", "set", "eth0", "up")
        _ip("-netns", space, "link", "set", "lo", "up")
        return address

    def inside(self, host: str) -> list[str]:
        """What a command begins with to run on that host."""
        return ["ip", "netns", "exec", self._space(host)]

    def cut(self, host: str) -> None:
        """Pulls its cable: nothing arrives, and nobody is told."""
        _ip("link", "set", self._cable(host), "down")

    def mend(self, host: str) -> None:
        _ip("link", "set", self._cable(host), "up")

    def remove(self) -> None:
        for host in self._hosts:
            _ip("link", "delete", self._cable(host), check=False)
            _ip("netns", "delete", self._space(host), check=False)
        _ip("link", "delete", self._bridge, check=False)

    def _space(self, host: str) -> str:
        return f"eventreg-{self._mark}-{host}"

    def _cable(self, host: str) -> str:
        return f"ev{self._mark}{host}"


@contextmanager
def running_network() -> Iterator[Network]:
    """Skips where this machine has no network namespaces, or this process may not make them."""
    require("network namespaces")
    network = Network()
    try:
        network.make()
        yield network
    finally:
        network.remove()

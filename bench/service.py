"""The service's own web processes, as `eventreg serve` starts them, on a port that is already open.

The mail worker is left out: its work is a figure of its own, and on a machine with two processors it would be
measured with every page. Arguments: the descriptor of the open port, how many web processes.
"""

import socket
import sys

from eventreg import create_app
from eventreg.web_server import WebServer

if __name__ == "__main__":
    listener = socket.socket(fileno=int(sys.argv[1]))
    WebServer(create_app, listener, int(sys.argv[2])).run()  # type: ignore[no-untyped-call]

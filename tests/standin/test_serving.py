"""The sockets that the demo and the evals serve on."""

import socket

from standin.serving import open_listener


def test_a_listener_says_that_it_is_tcp_so_that_no_small_frame_waits() -> None:
    with open_listener() as listener:
        assert listener.proto == socket.IPPROTO_TCP

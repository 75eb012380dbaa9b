#!/usr/bin/python3
"""reader.py ADDRESS PORT - a reader of cards that never asks whether anybody hears it.

Whoever connects is told the newest card each 100 ms, in a line; the cards are numbered since the start.
"""
import socketserver
import sys
import time

BEGUN = time.monotonic()


class Line(socketserver.BaseRequestHandler):
    def handle(self):
        while True:
            number = int((time.monotonic() - BEGUN) * 10)
            try:
                self.request.sendall(b"card %d\r\n" % number)
            except OSError:
                return
            time.sleep(0.1)


class Reader(socketserver.ThreadingTCPServer):
    daemon_threads = allow_reuse_address = True


if __name__ == "__main__":
    Reader((sys.argv[1], int(sys.argv[2])), Line).serve_forever()

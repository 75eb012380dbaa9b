#!/usr/bin/python3
"""thinline - a TCP relay as thin as the line of an office: each way carries so many bits a second, and
all connections stand in one queue before it, as in a modem. Who finds the queue full waits.

    thinline.py PORT TARGET_PORT BITS_A_SECOND [QUEUE_BYTES [DELAY_MS]]
"""
import asyncio
import collections
import socket
import sys

PACKET = 1400
HEADS = 40
BUFFER = 16 * 1024
TICK = 0.002  # the loop sleeps no shorter


class Way:
    """One direction of the line."""

    def __init__(self, bits, most, delay):
        self.second, self.most, self.delay = bits / 8, most, delay
        self.queue, self.bytes = collections.deque(), 0
        self.news, self.room = asyncio.Event(), asyncio.Event()

    async def put(self, writer, packet):
        while self.bytes + len(packet) > self.most and self.queue:
            self.room.clear()
            await self.room.wait()
        self.queue.append((writer, packet))
        self.bytes += len(packet)
        self.news.set()

    async def run(self):
        loop = asyncio.get_running_loop()
        free = loop.time()
        while True:
            while not self.queue:
                self.news.clear()
                await self.news.wait()
            writer, packet = self.queue[0]
            free = max(free, loop.time()) + (len(packet) + HEADS) / self.second
            if free - loop.time() > TICK:
                await asyncio.sleep(free - loop.time())
            self.queue.popleft()
            self.bytes -= len(packet)
            self.room.set()
            loop.call_later(self.delay, deliver, writer, packet)


def deliver(writer, packet):
    if not packet:
        writer.close()
    elif not writer.is_closing():
        writer.write(packet)


async def pump(way, reader, writer):
    packet = b"-"
    while packet:
        try:
            packet = await reader.read(PACKET)
        except OSError:
            packet = b""
        await way.put(writer, packet)


async def main(port, target, bits, most=64 * 1024, delay_ms=0):
    up, down = (Way(bits, most, delay_ms / 2000) for _ in range(2))
    running = [asyncio.create_task(way.run()) for way in (up, down)]

    async def came(reader, writer):
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target, limit=BUFFER)
        await asyncio.gather(pump(up, reader, far_writer), pump(down, far_reader, writer))

    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    listening.bind(("127.0.0.1", port))
    server = await asyncio.start_server(came, sock=listening, limit=BUFFER)
    await asyncio.gather(server.serve_forever(), *running)


asyncio.run(main(*map(int, sys.argv[1:])))

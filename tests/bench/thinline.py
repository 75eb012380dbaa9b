#!/usr/bin/python3
"""thinline - a TCP relay as thin as the line of an office: all connections share so many bits a second
each way, in turn, a packet at a time.

    thinline.py PORT TARGET_PORT BITS_A_SECOND
"""
import asyncio
import collections
import socket
import sys

PACKET = 1400
BUFFER = 32 * 1024


class Way:
    """One direction of the line: whoever has a packet stands in a queue for it."""

    def __init__(self, bits):
        self.second = bits / 8
        self.queue = collections.deque()
        self.wake = asyncio.Event()

    async def carry(self, size):
        turn = asyncio.get_running_loop().create_future()
        self.queue.append((turn, size))
        self.wake.set()
        await turn

    async def run(self):
        clock = asyncio.get_running_loop().time
        free = clock()
        while True:
            while not self.queue:
                self.wake.clear()
                await self.wake.wait()
            turn, size = self.queue.popleft()
            free = max(free, clock()) + size / self.second
            await asyncio.sleep(free - clock())
            turn.set_result(None)


async def pump(way, reader, writer):
    try:
        while True:
            packet = await reader.read(PACKET)
            if not packet:
                break
            await way.carry(len(packet) + 40)
            writer.write(packet)
            await writer.drain()
    except OSError:
        pass
    writer.close()


async def main(port, target, bits):
    up, down = Way(bits), Way(bits)
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

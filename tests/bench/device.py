#!/usr/bin/python3
"""device - a Modbus device that answers well after a delay, on Debian's pymodbus.

    device.py tcp|DEVICE DELAY_SECONDS      prints its port, or the device
"""
import asyncio
import socket
import sys

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server.async_io import ModbusSerialServer, ModbusTcpServer
from pymodbus.transaction import ModbusRtuFramer


class Thinking(ModbusSequentialDataBlock):
    """The register at address A holds A."""

    def __init__(self):
        super().__init__(0, [i & 0xFFFF for i in range(65536)])


def delayed(context, delay):
    import time
    read = context.getValues

    def read_later(*args, **more):
        time.sleep(delay)
        return read(*args, **more)
    if delay:
        context.getValues = read_later
    return context


async def main(wire, delay):
    slave = delayed(ModbusSlaveContext(hr=Thinking(), zero_mode=True), float(delay))
    context = ModbusServerContext(slaves=slave, single=True)
    if wire == "tcp":
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server = ModbusTcpServer(context, address=("127.0.0.1", port), allow_reuse_address=True)
        asyncio.get_running_loop().call_later(0.2, lambda: print(port, flush=True))
    else:
        server = ModbusSerialServer(context, framer=ModbusRtuFramer, port=wire, baudrate=115200)
        await server.start()
        print(wire, flush=True)
    await server.serve_forever()


asyncio.run(main(*sys.argv[1:3]))

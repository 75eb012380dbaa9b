#!/usr/bin/python3
"""station.py - a simulated base station with wristbands, on Modbus TCP or RTU.

    station.py --model rf433-fifo --tcp 127.0.0.1:0 --control 0 --log FILE [--bands 12] [--beat 2]
    station.py --model monnit-serial --serial /dev/pts/5 --control 0 --log FILE

The wire is python3-pymodbus; the registers are in maps.py. The first line on standard output says
where it listens: {"modbus": PORT, "control": PORT}. The control port takes one JSON object a line
and answers each with one:

    {"do": "strap", "band": 3, "open": true}     {"do": "case", "band": 3, "open": true}
    {"do": "battery", "band": 3, "percent": 7}   {"do": "rssi", "band": 3, "dbm": -90}
    {"do": "lost", "band": 3, "age": 600}        {"do": "back", "band": 3}
    {"do": "lost_all"}                           {"do": "back_all"}
    {"do": "off", "how": "silent"|"closed"}      {"do": "on"}
    {"do": "restart", "for": 1.0}                {"do": "state"}

Each change is one line in the log, {"at": CLOCK_REALTIME in microseconds, "what": ..., "band": N,
"tag": as the plugin names it}, written when the registers already show it. A change that a full FIFO or mailbox cannot
take is refused with {"ok": false} and is not logged: it did not happen. `beat` is the period at
which each band is heard again (0: only when something changes); a queueing station then queues it.
"""
import argparse
import asyncio
import json
import logging
import os
import sys
import time

from pymodbus.exceptions import NoSuchSlaveException
from pymodbus.interfaces import IModbusSlaveContext
from pymodbus.server.async_io import ModbusSerialServer, ModbusTcpServer
from pymodbus.transaction import ModbusRtuFramer, ModbusSocketFramer

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bands import Band, Station  # noqa: E402
from maps import MODELS  # noqa: E402

TABLES = {"c": "coil", "d": "discrete", "h": "holding", "i": "input"}


class Registers(IModbusSlaveContext):
    """pymodbus asks here; the model answers. Reading is one call, so it sees one moment."""

    def __init__(self, model, log):
        self.model, self.log = model, log

    def reset(self):
        pass

    def validate(self, fc, address, count=1):
        table = TABLES[self.decode(fc)]
        if fc in (5, 6, 15, 16):
            return True
        try:
            for at in range(address, address + count):
                self.model.read(table, at, 0)
        except (KeyError, IndexError):
            return False
        return True

    def getValues(self, fc, address, count=1):  # noqa: N802 (pymodbus names it)
        table, now = TABLES[self.decode(fc)], time.monotonic()
        try:
            return [self.model.read(table, at, now) for at in range(address, address + count)]
        except KeyError:  # pymodbus reads back what it wrote; some registers are write-only
            return [0] * count

    def setValues(self, fc, address, values):  # noqa: N802
        table = TABLES[self.decode(fc)]
        for at, value in enumerate(values, address):
            given = self.model.write(table, at, value)
            if given:
                self.log("released", given.band)


class Units:
    """Which units answer; one that is off does not."""
    single = False

    def __init__(self, unit, registers):
        self.unit, self.registers, self.on = unit, registers, True

    def slaves(self):
        return [self.unit]

    def __getitem__(self, unit):
        if not self.on or unit != self.unit:
            raise NoSuchSlaveException(f"unit {unit} does not answer")
        return self.registers


class Wire:
    """The Modbus server, TCP or RTU, that can be taken away and put back."""

    def __init__(self, options, units):
        self.options, self.units = options, units
        self.server = self.task = None
        self.port = 0
        if options.tcp:
            self.host, port = options.tcp.rsplit(":", 1)
            self.port = int(port)

    async def start(self):
        if self.options.serial:
            self.server = ModbusSerialServer(
                self.units, ModbusRtuFramer, port=self.options.serial, baudrate=self.options.baud,
                ignore_missing_slaves=True)
            await self.server.start()
            return
        self.server = ModbusTcpServer(
            self.units, ModbusSocketFramer, address=(self.host, self.port),
            allow_reuse_address=True, ignore_missing_slaves=True)
        self.task = asyncio.create_task(self.server.serve_forever())
        await self.server.serving
        self.port = self.server.server.sockets[0].getsockname()[1]

    async def stop(self):
        if self.options.serial or self.server is None:
            return
        for connection in list(self.server.active_connections.values()):
            connection.transport.abort()
        self.server.server.close()
        self.task.cancel()
        self.server = None


class Control:
    """What a test may ask: one method a word."""
    WORDS = ("strap", "case", "battery", "rssi", "lost", "back", "lost_all", "back_all", "off", "on",
             "restart", "state")

    def __init__(self, station, units, wire, log):
        self.station, self.units, self.wire, self.log = station, units, wire, log

    def change(self, what, band, **values):
        """Sets values of the band and lets it be heard; undone when the station has no room."""
        before = {name: getattr(band, name) for name in values}
        for name, value in values.items():
            setattr(band, name, value)
        if not self.station.hear(band, time.monotonic()):
            for name, value in before.items():
                setattr(band, name, value)
            return {"ok": False, "error": "full"}
        return self.log(what, band)

    def strap(self, ask, band):
        return self.change("strap_opened" if ask["open"] else "strap_closed", band, open=ask["open"])

    def case(self, ask, band):
        return self.change("case_opened" if ask["open"] else "case_closed", band, case=ask["open"])

    def battery(self, ask, band):
        low = ask["percent"] <= 10
        return self.change("battery_low" if low else "battery", band, battery=ask["percent"])

    def rssi(self, ask, band):
        return self.change("rssi", band, rssi=ask["dbm"])

    def lost(self, ask, band):
        band.quiet = True
        band.heard = time.monotonic() - ask.get("age", 0)
        return self.log("lost", band)

    def back(self, _, band):
        return self.change("back", band, quiet=False)

    def lost_all(self, ask, _):
        for band in self.station.bands.values():
            band.quiet = True
            band.heard = time.monotonic() - ask.get("age", 0)
        return self.log("lost_all")

    def back_all(self, _, __):
        for band in self.station.bands.values():
            band.quiet = False
            self.station.hear(band, time.monotonic())
        return self.log("back_all")

    async def off(self, ask, _):
        self.units.on = False
        if ask.get("how") == "closed":
            await self.wire.stop()
        return self.log("station_off")

    async def on(self, _, __):
        if self.wire.server is None:
            await self.wire.start()
        self.units.on = True
        return self.log("station_on")

    async def restart(self, ask, _):
        self.units.on = False
        await self.wire.stop()
        self.station.restart()
        self.log("station_off")
        await asyncio.sleep(ask.get("for", 1.0))
        self.station.hear_all(time.monotonic())
        return await self.on(ask, None)

    def state(self, _, __):
        return {"waiting": len(self.station.entries), "sequence": self.station.sequence,
                "dropped": self.station.dropped,
                "open": [b.number for b in self.station.bands.values() if b.open]}

    async def answer(self, ask):
        word = ask.get("do")
        if word in self.WORDS:
            found = getattr(self, word)(ask, self.station.bands.get(ask.get("band")))
            return await found if asyncio.iscoroutine(found) else found
        return {"ok": False, "error": f"do: unknown {word!r}"}

    async def serve(self, reader, writer):
        while line := await reader.readline():
            try:
                reply = {"ok": True, **await self.answer(json.loads(line))}
            except (KeyError, AttributeError, ValueError) as why:
                reply = {"ok": False, "error": repr(why)}
            writer.write(json.dumps(reply).encode() + b"\n")
        writer.close()


def logger(path):
    out = open(path, "a", encoding="utf-8", buffering=1)

    def log(what, band=None):
        line = {"at": time.time_ns() // 1000, "what": what}
        if band:
            line.update(band=band.number, tag=band.name)
        out.write(json.dumps(line) + "\n")
        return line
    return log


async def beat(station, units, period):
    while period > 0:
        await asyncio.sleep(period)
        if units.on:
            station.hear_all(time.monotonic())


async def run(options):
    station = Station({})
    model = MODELS[options.model](station)
    station.room = options.room or model.room
    for number in range(1, options.bands + 1):
        station.bands[number] = Band(number, model.tag(number), model.name_of(model.tag(number)))
    model.bands = list(station.bands.values())
    if model.room != 1:  # a mailbox would lose all but the first
        station.hear_all(time.monotonic())
    log = logger(options.log)
    units = Units(model.unit, Registers(model, log))
    wire = Wire(options, units)
    await wire.start()
    control = Control(station, units, wire, log)
    server = await asyncio.start_server(control.serve, "127.0.0.1", options.control)
    port = server.sockets[0].getsockname()[1]
    print(json.dumps({"modbus": wire.port, "control": port, "unit": model.unit}), flush=True)
    await beat(station, units, options.beat)
    await asyncio.Event().wait()


def main():
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
    words = argparse.ArgumentParser(description="A simulated base station.")
    words.add_argument("--model", choices=sorted(MODELS), default="monnit-tcp")
    words.add_argument("--tcp", metavar="HOST:PORT")
    words.add_argument("--serial", metavar="DEVICE")
    words.add_argument("--baud", type=int, default=19200)
    words.add_argument("--bands", type=int, default=12)
    words.add_argument("--room", type=int, default=0, help="entries of the FIFO")
    words.add_argument("--beat", type=float, default=2.0, help="seconds; 0: never by itself")
    words.add_argument("--control", type=int, default=0, metavar="PORT")
    words.add_argument("--log", required=True)
    options = words.parse_args()
    if bool(options.tcp) == bool(options.serial):
        words.error("expected either --tcp or --serial")
    try:
        asyncio.run(run(options))
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()

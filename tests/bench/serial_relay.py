"""serial_relay - a cable between two pseudo terminals that is as slow as its baud rate."""
import os
import pty
import select
import threading
import time
import tty


class Relay:
    """Passes bytes from either end to the other, ten bits a byte; `ends` are the two devices."""

    def __init__(self, baud):
        self.byte_s = 10 / baud
        self.masters, self.slaves = [], []
        for _ in range(2):
            master, slave = pty.openpty()
            tty.setraw(slave)
            self.masters.append(master)
            self.slaves.append(slave)
        self.ends = [os.ttyname(slave) for slave in self.slaves]
        self.open = True
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while self.open:
            ready, _, _ = select.select(self.masters, [], [], 0.2)
            for master in ready:
                data = os.read(master, 512)
                time.sleep(len(data) * self.byte_s)
                os.write(self.masters[1 - self.masters.index(master)], data)

    def close(self):
        self.open = False
        time.sleep(0.3)
        for fd in self.masters + self.slaves:
            os.close(fd)

"""vault - a dock that gives its files by SFTP: asyncssh over a folder, in a thread of its own.

What it does wrong is asked for by name: it closes the line in the middle of a file, or does not answer."""
import asyncio
import threading
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of ciphers that asyncssh names and nobody here uses
    import asyncssh

USER, PASSWORD = "outpost", "dock-secret"


class Vault:
    """SFTP over `folder` at a free port. `tries` are the passwords that came, `cut` is after how many bytes
    of files the line is closed, `times` how often; `mute` is a server that lets in and answers nothing."""

    def __init__(self, folder, cut=None, times=0, mute=False, interactive=True):
        self.folder, self.cut, self.left, self.mute, self.interactive = str(folder), cut, times, mute, interactive
        self.tries, self.lines, self.sent = [], 0, 0
        self.loop, self.server, self.key = asyncio.new_event_loop(), None, None
        ready = threading.Event()
        self.thread = threading.Thread(target=self.run, args=(ready,), daemon=True)
        self.thread.start()
        assert ready.wait(20), "the server did not start"
        port = self.server.sockets[0].getsockname()[1]
        self.url = f"sftp://127.0.0.1:{port}"
        self.fingerprint = self.key.get_fingerprint()

    def run(self, ready):
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self.listen())
        ready.set()
        self.loop.run_forever()

    async def listen(self):
        vault = self

        class Door(asyncssh.SSHServer):
            def connection_made(self, conn):
                vault.lines += 1

            def begin_auth(self, username):
                return True

            def password_auth_supported(self):
                return True

            def kbdint_auth_supported(self):
                return vault.interactive

            def validate_password(self, username, password):
                vault.tries.append((username, password))
                return (username, password) == (USER, PASSWORD)

        class Files(asyncssh.SFTPServer):
            def __init__(self, chan):
                self.conn = chan.get_connection()
                super().__init__(chan, chroot=vault.folder.encode())

            async def read(self, file_obj, offset, size):
                if vault.mute:
                    await asyncio.sleep(3600)
                if vault.left and vault.cut is not None and offset >= vault.cut:
                    vault.left -= 1
                    self.conn.abort()
                    return b""
                data = super().read(file_obj, offset, size)
                vault.sent += len(data)
                return data

        self.key = asyncssh.generate_private_key("ssh-ed25519")
        self.server = await asyncssh.listen("127.0.0.1", 0, server_factory=Door, sftp_factory=Files,
                                            server_host_keys=[self.key])

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)

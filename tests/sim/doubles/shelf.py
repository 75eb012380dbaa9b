"""shelf - docks that speak HTTP: a web server that shows folders, and a recorder with ISAPI ContentMgmt.

    shelf.py FOLDER PORT        the web server as a process, one that can go on in the middle of a file
"""
import email.utils
import http.server
import os
import re
import sys
import threading
import urllib.parse


class Quiet(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass


class Server:
    """A server in a thread."""

    def __init__(self, handler, port=0):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Shelf(Server):
    """Python's own http.server over `folder`. With `cut` each answer of a file breaks off behind so many
    bytes, until it has happened `times` times; `ranges` makes it one that can go on."""

    def __init__(self, folder, cut=None, times=0, ranges=False, port=0):
        shelf = self
        self.asked, self.left, self.sent = [], times, 0

        class Handler(Quiet):
            def __init__(self, *args):
                super().__init__(*args, directory=str(folder))

            def do_GET(self):
                shelf.asked.append((self.path, self.headers.get("Range")))
                path = self.translate_path(self.path)
                if os.path.isfile(path):
                    self.give(path)
                else:
                    super().do_GET()

            def give(self, path):
                size, begin = os.path.getsize(path), 0
                told = re.match(r"bytes=(\d+)-", self.headers.get("Range") or "")
                if told and ranges:
                    begin = int(told[1])
                self.send_response(206 if begin else 200)
                self.send_header("Content-Length", str(size - begin))
                self.send_header("Last-Modified", self.date_time_string(int(os.path.getmtime(path))))
                if begin:
                    self.send_header("Content-Range", f"bytes {begin}-{size - 1}/{size}")
                self.end_headers()
                with open(path, "rb") as file:
                    file.seek(begin)
                    self.pour(file, size - begin)

            def pour(self, file, rest):
                cuts = cut is not None and shelf.left > 0 and rest > cut
                shelf.left -= cuts
                room = cut if cuts else rest
                while room > 0:
                    part = file.read(min(room, 65536))
                    self.wfile.write(part)
                    room -= len(part)
                    shelf.sent += len(part)
                self.close_connection = self.close_connection or bool(cuts)

        super().__init__(Handler, port)


ITEM = """<searchMatchItem><trackID>101</trackID><timeSpan><startTime>{begin}</startTime>
<endTime>{end}</endTime></timeSpan><mediaSegmentDescriptor><contentType>video</contentType><codecType>H.264</codecType>
<playbackURI>rtsp://127.0.0.1/Streaming/tracks/101/?starttime={begin}&amp;name={name}&amp;size={size}</playbackURI>
</mediaSegmentDescriptor></searchMatchItem>"""


class Recorder(Server):
    """ISAPI ContentMgmt over {name: (begin, end, bytes)}, two to a page."""

    def __init__(self, items):
        recorder = self
        self.items, self.downloads, self.searches = items, [], []

        class Handler(Quiet):
            def do_GET(self):
                now = email.utils.localtime().strftime("%Y-%m-%dT%H:%M:%S%z")
                self.answer(f"<Time><timeMode>NTP</timeMode><localTime>{now[:-2]}:{now[-2:]}</localTime></Time>"
                            .encode())

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                if self.path.endswith("/search"):
                    recorder.searches.append(body)
                    self.answer(recorder.page(body))
                else:
                    name = urllib.parse.unquote(re.search(r"&amp;name=(\w+)&amp;", body)[1])
                    recorder.downloads.append(name)
                    self.answer(recorder.items[name][2])

            def answer(self, body):
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        super().__init__(Handler)

    def page(self, body):
        at = int(re.search(r"<searchResultPosition>(\d+)<", body)[1])
        names = sorted(self.items)[at:at + 2]
        listed = "".join(ITEM.format(begin=self.items[name][0], end=self.items[name][1], name=name,
                                     size=len(self.items[name][2])) for name in names)
        status = "MORE" if at + 2 < len(self.items) else "OK" if names else "NO MATCHES"
        return (f"<CMSearchResult><responseStatusStrg>{status}</responseStatusStrg>"
                f"<numOfMatches>{len(names)}</numOfMatches><matchList>{listed}</matchList></CMSearchResult>").encode()


if __name__ == "__main__":
    Shelf(sys.argv[1], ranges=True, port=int(sys.argv[2])).thread.join()

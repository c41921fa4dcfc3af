"""A local server that speaks as much of S3 as listing and reading take, and answers each request after a pause.

A server of its own, because one for tests takes milliseconds of CPU a request, which would be measured instead.
"""

import asyncio
import sys
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape

PAGE = 1000  # objects in an answer, as in S3
MODIFIED = "Thu, 01 Jan 2026 00:00:00 GMT"


class Server:
    """Serves the files of a folder as the objects of any bucket."""

    def __init__(self, folder: Path, pause: float) -> None:
        self.pause = pause  # seconds
        self.files = {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*.*")}
        self.names = sorted(self.files)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
                await asyncio.sleep(self.pause)
                writer.write(self.answer(method, urlsplit(target)))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def answer(self, method: str, target: SplitResult) -> bytes:
        """Return a whole HTTP response."""
        key = unquote(target.path).lstrip("/").partition("/")[2]
        found = self.files.get(key) if key else self.listing(parse_qs(target.query))
        data, status = (found, "200 OK") if found is not None else (b"", "404 Not Found")
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(data)}\r\nLast-Modified: {MODIFIED}\r\n\r\n"
        return head.encode() + (b"" if method == "HEAD" else data)

    def listing(self, query: dict[str, list[str]]) -> bytes:
        """Return a page of the answer to ListObjectsV2; the token is the number of the first object."""
        start = int(query.get("continuation-token", ["0"])[0])
        prefix = query.get("prefix", [""])[0]
        names = [name for name in self.names if name.startswith(prefix)]
        more = f"<NextContinuationToken>{start + PAGE}</NextContinuationToken>" if len(names) > start + PAGE else ""
        objects = "".join(
            f"<Contents><Key>{escape(quote(name) if 'encoding-type' in query else name)}</Key>"
            f"<Size>{len(self.files[name])}</Size></Contents>"
            for name in names[start : start + PAGE]
        )
        truncated = "true" if more else "false"
        return f"<ListBucketResult><IsTruncated>{truncated}</IsTruncated>{more}{objects}</ListBucketResult>".encode()


async def main() -> None:
    """Serve the folder argv[1], each answer argv[2] milliseconds late; print the port."""
    server = Server(Path(sys.argv[1]), float(sys.argv[2]) / 1000)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    print(listening.sockets[0].getsockname()[1], flush=True)
    await listening.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())

"""Lists as files: streamed, and safe to open in a spreadsheet (P5)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from flask import Response, stream_with_context

from crm.exchange.tabular import neutralise
from crm.policy import bind_actor
from crm.web.gate import actor

_BATCH = 200


def csv_response(name: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Response:
    """A CSV file of `rows`, sent while they are read: UTF-8 with its mark, every cell plain text to a spreadsheet."""
    who = actor()

    def lines() -> Iterator[str]:
        bind_actor(who)  # the stream is read after the request: its session is a new one that knows nobody
        stream = io.StringIO()
        writer = csv.writer(stream)
        stream.write("\ufeff")
        writer.writerow(header)
        for count, row in enumerate(rows, 1):
            writer.writerow([neutralise(cell) for cell in row])
            if count % _BATCH == 0:
                yield stream.getvalue()
                stream.seek(0)
                stream.truncate()
        yield stream.getvalue()

    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(stream_with_context(lines()), mimetype="text/csv", headers=headers)

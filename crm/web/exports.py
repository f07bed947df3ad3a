"""Lists as files: streamed, with the rows and columns that the list shows, and safe to open in a spreadsheet (P5)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from flask import Blueprint, Response, request, stream_with_context
from flask.blueprints import BlueprintSetupState

from crm.db import steady_reading
from crm.exchange.writing import Cell, csv_lines, write_workbook
from crm.policy import Permission, bind_actor
from crm.web.gate import actor, permit
from crm.web.listing import Listing, Seen

_PART = 65_536
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def csv_response(name: str, header: Sequence[str], chunks: Iterable[Iterable[Sequence[Cell]]]) -> Response:
    """A CSV file, sent while its rows are read, all of them as they stood at the first."""
    who = actor()

    def lines() -> Iterator[str]:
        bind_actor(who)  # the stream is read after the request: its session is a new one that knows nobody
        with steady_reading():
            yield from csv_lines(header, chunks)

    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(stream_with_context(lines()), mimetype="text/csv", headers=headers)


def xlsx_response(name: str, title: str, header: Sequence[str], chunks: Iterable[Iterable[Sequence[Cell]]]) -> Response:
    """An XLSX file. It can be sent only when it is whole, so it is written to a file without a name first, never held in memory."""
    target = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the response
    try:
        with steady_reading():
            write_workbook(target, title, header, chunks)
        size = target.tell()
    except BaseException:
        target.close()
        raise

    def parts() -> Iterator[bytes]:
        with target:
            target.seek(0)
            while part := target.read(_PART):
                yield part

    headers = {"Content-Disposition": f'attachment; filename="{name}.xlsx"', "Content-Length": str(size)}
    response = Response(parts(), mimetype=_XLSX, headers=headers)
    response.call_on_close(target.close)  # where nobody reads it
    return response


def offer_files(bp: Blueprint, listing: Listing) -> None:
    """Give a list its two files: /parties.csv and /parties.xlsx, with the arguments of its page."""

    @permit(Permission.DATA_EXPORT)
    def as_csv() -> Any:
        seen = Seen.of(listing, request.args, actor())
        return csv_response(listing.noun, seen.file_header(), seen.file_chunks())

    @permit(Permission.DATA_EXPORT)
    def as_xlsx() -> Any:
        seen = Seen.of(listing, request.args, actor())
        return xlsx_response(listing.noun, str(listing.title), seen.file_header(), seen.file_chunks())

    @bp.record
    def add(state: BlueprintSetupState) -> None:
        for ending, view in (("csv", as_csv), ("xlsx", as_xlsx)):
            address = f"/{listing.noun}.{ending}"
            state.app.add_url_rule(address, endpoint=f"{bp.name}.{ending}", view_func=view, methods=["GET"])

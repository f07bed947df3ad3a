"""What a person should know of the rows of a list of parties, counted row by row and said in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from crm.i18n import _, ngettext

#: Rows that a sentence names, and one that is there to name them.
ROWS_NAMED, _MOST_NAMED = 8, 200


def rows_named(rows: Sequence[object], most: int = ROWS_NAMED) -> str:
    """The first of some rows (numbers or words) in one line, and how many more there are."""
    named, left = ", ".join(map(str, rows[:most])), len(rows) - most
    return ngettext("%(rows)s and %(num)d more", "%(rows)s and %(num)d more", left, rows=named) if left > 0 else named


def in_rows(rows: Sequence[object]) -> str:
    """The same after a word: “row 4”, “rows 4, 7, 9”."""
    return ngettext("row %(rows)s", "rows %(rows)s", len(rows), rows=rows_named(rows))


@dataclass(slots=True)
class Told:
    """What was met so far. Of `met_again` the keys are rows and the values the earlier rows that made the party they are about, where nobody
    said so; the others are how many, or which rows."""

    unknown_references: int = 0
    nameless: int = 0
    worded: int = 0
    wordy: int = 0
    torn: int = 0
    other_starts: int = 0
    met_again: dict[int, int] = field(default_factory=dict)
    new_organisations: set[str] = field(default_factory=set)
    elsewhere: list[int] = field(default_factory=list)  # rows of which a number could be of the file's country too
    unsure: list[int] = field(default_factory=list)  # rows with a number that its country does not give out
    shared: int = 0  # new organisations among the rows

    def sentences(self) -> list[str]:
        """What is in doubt, or goes beyond the office, each in one sentence."""
        return [*self._of_names(), *self._of_numbers(), *self._of_posts(), *self._of_sharing()]

    def as_read(self) -> list[str]:
        """How cells were read where nothing is lost or in doubt, each in one sentence."""
        said = []
        if self.nameless:
            said.append(
                ngettext(
                    "%(num)d row has no name; what stands under Organisation is taken as an organisation.",
                    "%(num)d rows have no name; what stands under Organisation is taken as organisations.",
                    self.nameless,
                )
            )
        if self.worded:
            said.append(
                ngettext(
                    "%(num)d number has words beside it: the number is kept, the words stand in the notes.",
                    "%(num)d numbers have words beside them: the numbers are kept, the words stand in the notes.",
                    self.worded,
                )
            )
        if self.wordy:
            said.append(
                ngettext(
                    "%(num)d telephone cell holds words and no number: the words stand in the notes.",
                    "%(num)d telephone cells hold words and no number: the words stand in the notes.",
                    self.wordy,
                )
            )
        if self.torn:
            said.append(
                ngettext(
                    "%(num)d e-mail address was written with a blank inside, or “(at)”: it is read without.",
                    "%(num)d e-mail addresses were written with a blank inside, or “(at)”: they are read without.",
                    self.torn,
                )
            )
        if len(self.unsure) > ROWS_NAMED:
            said.append(_("A telephone number may be wrong in rows %(rows)s.", rows=rows_named(self.unsure, _MOST_NAMED)))
        if self.new_organisations:
            said.append(
                ngettext(
                    "%(num)d organisation of a post is not on record; it is recorded too.",
                    "%(num)d organisations of posts are not on record; they are recorded too.",
                    len(self.new_organisations),
                )
            )
        return said

    def _of_names(self) -> list[str]:
        said = []
        if self.unknown_references:
            said.append(
                ngettext(
                    "%(num)d reference is not on record here; its row was matched by name.",
                    "%(num)d references are not on record here; their rows were matched by name.",
                    self.unknown_references,
                )
            )
        if self.met_again:
            pairs = [_("row %(row)s with row %(other)s", row=row, other=other) for row, other in self.met_again.items()]
            said.append(
                ngettext(
                    "%(num)d row has the name of an earlier one and nothing speaks against it: they come in as one, %(rows)s.",
                    "%(num)d rows have the name of an earlier one and nothing speaks against it: they come in as one, %(rows)s.",
                    len(self.met_again),
                    rows=rows_named(pairs),
                )
            )
        return said

    def _of_numbers(self) -> list[str]:
        said = []
        if self.elsewhere:
            said.append(
                ngettext(
                    "A number without a country code is read as one of its row's country, and could be of the file's too: row %(rows)s.",
                    "In %(num)d rows a number without a country code is read as one of the row's country, and could be of the file's too: rows %(rows)s.",
                    len(self.elsewhere),
                    rows=rows_named(self.elsewhere),
                )
            )
        if self.unsure:
            said.append(
                ngettext(
                    "A telephone number may be wrong, as no number of its country begins so: row %(rows)s.",
                    "In %(num)d rows a telephone number may be wrong, as no number of its country begins so: rows %(rows)s.",
                    len(self.unsure),
                    rows=rows_named(self.unsure),
                )
            )
        return said

    def _of_posts(self) -> list[str]:
        said = []
        if self.other_starts:
            said.append(
                ngettext(
                    "%(num)d row says another first day of a post than is on record; the day on record stays.",
                    "%(num)d rows say other first days of posts than are on record; the days on record stay.",
                    self.other_starts,
                )
            )
        return said

    def _of_sharing(self) -> list[str]:
        count = self.shared + len(self.new_organisations)
        if not count:
            return []
        return [
            ngettext(
                "%(num)d new organisation is seen by every office; how to reach it, and notes about it, are your office's own.",
                "%(num)d new organisations are seen by every office; how to reach them, and notes about them, are your office's own.",
                count,
            )
        ]

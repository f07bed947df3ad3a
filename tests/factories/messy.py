"""Lists as an office keeps them: 200 contacts, and the log of 60 meetings with them: titles above, merged headings, two languages,
three ways to write a day, duplicates."""

from __future__ import annotations

import io
from datetime import date

import xlsxwriter

FIRST = (
    "Amal",
    "Rana",
    "Omar",
    "Yusuf",
    "Leila",
    "Hadi",
    "Nour",
    "Samir",
    "Dina",
    "Karim",
    "Ana",
    "Jean",
    "Grace",
    "Tariq",
    "Maya",
    "Ziad",
)
LAST = ("Haddad", "Khoury", "Nasser", "Saleh", "Núñez", "Dupont", "Wanjiku", "Aziz", "Farah", "Mansour", "Qasim", "Rahman", "Tahan")
ARABIC_FIRST = ("أمل", "رنا", "عمر", "يوسف", "ليلى", "هادي", "نور", "سمير", "دينا", "كريم", "آنا", "جان", "غريس", "طارق", "مايا", "زياد")
ARABIC_LAST = ("حداد", "خوري", "ناصر", "صالح", "نونييز", "دوبون", "وانجيكو", "عزيز", "فرح", "منصور", "قاسم", "رحمن", "طحان")
POSTS = ("Minister", "Secretary General", "Directeur", "Programme Manager", "مدير", "Journalist", "Head of Office", "Coordinator")
BODIES = (
    "Ministry of Health (demo)",
    "Water Fund X",
    "وزارة التربية (تجريبي)",
    "Radio Seven",
    "Parents' Union",
    "Fondation Y",
    "Town Council Z",
)
KINDS = ("Government", "Bailleur", "حكومة", "Media", "NGO", "ONG", "Local leader")
COUNTRIES = ("Jordan", "الأردن", "Jordanie", "JO", "")
ROWS = 200


def days(place: int) -> object:
    """Three ways to write a day, one of them a real date of the spreadsheet."""
    on = date(2024, place % 12 + 1, place % 27 + 1)
    return (f"{on.day:02}/{on.month:02}/{on.year}", on, f"{on.day} {on:%B} {on.year}")[place % 3]


def messy_contacts() -> bytes:
    """The workbook: 200 rows below three of titles, with six repeated people, four bad cells and a line that counts them at the end."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer)
    sheet = book.add_worksheet("Contacts 2026")
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    sheet.merge_range(0, 0, 0, 10, "Contacts of the field office / جهات الاتصال")
    sheet.write(1, 0, "Updated by: Rana, 12 March 2026 – please do not print")
    sheet.merge_range(2, 1, 2, 2, "Name / الاسم")
    sheet.merge_range(2, 6, 2, 8, "How to reach")
    headings = (
        "No.",
        "Full Name",
        "الاسم بالعربية",
        "Position",
        "Organisation",
        "Category",
        "E-mail",
        "Mobile",
        "Phone (office)",
        "Country",
    )
    sheet.write_row(3, 0, [*headings, "In post since", "Remarks"])
    row = 4
    for place in range(ROWS):
        if place % 41 == 40:
            row += 1  # a blank line, as offices leave them
        of = place - 100 if place in (120, 133, 147, 158, 171, 190) else place  # somebody who stands there twice
        first, last = FIRST[of % len(FIRST)], LAST[of % len(LAST)]
        name = f"{first} {last}" if place == of else f"{first.upper()} {last}" if place % 2 else f"{first}  {last}"
        native = f"{ARABIC_FIRST[of % len(ARABIC_FIRST)]} {ARABIC_LAST[of % len(ARABIC_LAST)]}" if of % 5 == 0 else ""
        email = f"{first}.{last}{of}@contacts.example".casefold().encode("ascii", "ignore").decode()
        cells = [
            str(place + 1),
            name,
            native,
            POSTS[of % len(POSTS)],
            BODIES[of % len(BODIES)],
            KINDS[of % len(KINDS)],
            "see card" if place in (17, 88) else email,
            f"079 {5550000 + of:07}" if of % 2 else f"+962 79 {5550000 + of:07}",
            "" if of % 3 else f"06/555{of:04}",
            "Atlantis" if place == 55 else COUNTRIES[of % len(COUNTRIES)],
        ]
        for column, cell in enumerate(cells):
            if cell:
                sheet.write_string(row, column, cell)
        since = days(of)
        if place == 66:
            sheet.write_string(row, 10, "last spring")
        elif isinstance(since, date):
            sheet.write_datetime(row, 10, since, day)
        else:
            sheet.write_string(row, 10, str(since))
        if of % 9 == 0:
            sheet.write_string(row, 11, "Prefers mornings; يفضل الصباح")
        row += 1
    book.add_worksheet("Lists").write_row(0, 0, ["Government", "Media"])
    book.close()
    return buffer.getvalue()


LOGGED = 60
TOPICS = ("Budget line for vaccines", "Cold chain", "Girls' schooling", "الموازنة", "Radio spots", "Water points")
LOG_KINDS = ("Meeting", "Phone call", "زيارة", "Réunion", "E-mail", "workshop")


def messy_log() -> bytes:
    """The log of contacts with the people of `messy_contacts`: 60 rows, three of them twice, five with something wrong."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer)
    sheet = book.add_worksheet("Log")
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    sheet.merge_range(0, 0, 0, 10, "Log of contacts / سجل اللقاءات")
    sheet.write_row(
        2,
        0,
        (
            "No.",
            "Date",
            "With whom",
            "Type of contact",
            "Topic",
            "What was said",
            "Our staff",
            "Attendees",
            "Venue",
            "Next steps",
            "Deadline",
        ),
    )
    row = 3
    for place in range(LOGGED):
        if place % 23 == 22:
            row += 1  # a blank line
        of = place - 30 if place in (41, 47, 53) else place  # a contact that stands there twice
        who = of + 1 if of in (17, 55, 66) else of  # those rows of the list of contacts are wrong
        cells = {
            0: str(place + 1),
            2: "Nobody Known"
            if place == 12
            else f"{FIRST[who % len(FIRST)]} {LAST[who % len(LAST)]}".upper()
            if of % 4
            else "Water Fund X",
            3: "séance" if place == 25 else LOG_KINDS[of % len(LOG_KINDS)],
            4: f"{TOPICS[of % len(TOPICS)]} {of}",
            5: "They asked for figures; نعم" if of % 3 else "",
            6: "someone@else.example" if place == 33 else "Officer Person",
            7: "Dr Somebody (Adviser); Another Person" if of % 5 == 0 else "",
            8: "Amman" if of % 2 else "عمّان",
            9: "Send the figures" if of % 6 == 0 else "",
            10: "" if of % 6 or place == 48 else "2026-12-01",
        }
        for column, cell in cells.items():
            if cell:
                sheet.write_string(row, column, cell)
        on = days(of)
        if place == 57:
            sheet.write_string(row, 1, "last spring")
        elif isinstance(on, date):
            sheet.write_datetime(row, 1, on, day)
        else:
            sheet.write_string(row, 1, str(on))
        row += 1
    book.close()
    return buffer.getvalue()

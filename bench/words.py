"""What the made-up people, organisations and conversations of the bench are called. No real person is meant."""

from __future__ import annotations

# (given names, family names) by script; the share says how often a script is drawn
SCRIPTS: tuple[tuple[int, tuple[str, ...], tuple[str, ...]], ...] = (
    (
        46,
        ("Amina", "Daniel", "Grace", "Peter", "Ruth", "Samuel", "Esther", "Joseph", "Mary", "Ibrahim", "Fatou", "Kofi", "Lucía", "Mateo"),
        (
            "Okafor",
            "Mwangi",
            "Hassan",
            "Silva",
            "Ndiaye",
            "Kamau",
            "García",
            "Nkosi",
            "Osei",
            "Santos",
            "Traoré",
            "Banda",
            "Rojas",
            "Diallo",
        ),
    ),
    (
        12,
        ("Zoë", "José", "Françoise", "Jürgen", "Søren", "Łukasz", "Begüm", "Ngọc", "Šárka", "Ólafur"),
        ("D’Souza", "Müller", "Nguyễn", "Kovačević", "Østergård", "Wiśniewski", "Ó Briain", "Yıldız", "Peña", "Lefèvre"),
    ),
    (
        22,
        ("محمد", "أحمد", "فاطمة", "ليلى", "عبد الله", "مريم", "يوسف", "نور", "خالد", "سارة"),
        ("الحسن", "العلي", "الخطيب", "الزعبي", "المصري", "الشريف", "حداد", "النجار", "العبادي", "القاسم"),
    ),
    (
        8,
        ("Анна", "Олена", "Сергей", "Наталья", "Дмитрий", "Гүлнара", "Фёдор", "Айгүл"),
        ("Иванова", "Шевченко", "Петров", "Бекова", "Ким", "Ковальчук", "Ахметов", "Соловьёва"),
    ),
    (6, ("小明", "丽", "伟", "芳", "静", "强"), ("王", "李", "张", "刘", "陈", "欧阳")),
    (3, ("አበበ", "ሰላም", "ዮሐንስ", "ሕይወት"), ("ተስፋዬ", "በቀለ", "ከበደ", "መኮንን")),
    (3, ("अमित", "सुनीता", "राजेश", "प्रिया"), ("शर्मा", "थापा", "यादव", "गुरुङ")),
)
ORGANISATIONS = (
    "Ministry of Health, {place}",
    "Ministry of Education, {place}",
    "Ministry of Finance, {place}",
    "{word} Foundation",
    "{word} Women’s Network",
    "Union des jeunes de {word}",
    "{word} Community Council",
    "وزارة الصحة – {word}",
    "جمعية {word} الخيرية",
    "Фонд «{word}»",
    "{word} University",
    "Radio {word}",
    "{word} Bank Group",
    "Parliamentary Committee on Children, {place}",
    "{word} Family Association",
)
WORDS = ("Amani", "Horizon", "Cedar", "Baobab", "Al-Noor", "Esperanza", "Lotus", "Kilima", "Aurora", "Sahel", "Ubuntu", "Meridian", "Jasmine", "Tamarind", "Acacia", "Savane")  # fmt: skip
TITLES = ("Minister", "Director", "Permanent Secretary", "Head of partnerships", "Member of Parliament", "Chair", "Imam", "Programme manager", "مدير عام", "Directrice générale")  # fmt: skip
PURPOSES = (
    "Agree the budget line for routine immunisation",
    "Ask for a public statement on girls’ schooling",
    "Review what was promised at the last round table",
    "Present the results of the half year",
    "Prepare the visit to the nutrition centres",
    "Unblock the customs clearance of vaccines",
    "Introduce the new representative",
)
SENTENCES = (
    "They confirmed that the supplementary budget goes to parliament in two weeks.",
    "The minister asked for the figures of the three northern districts.",
    "We explained the gap in the cold chain and what it would cost to close it.",
    "They will speak to the finance committee and answer in writing.",
    "Concern was raised about the delay of the second instalment.",
    "أكدوا أن المبلغ سيحول قبل نهاية الربع القادم.",
    "Ils souhaitent une visite conjointe avant la fin du trimestre.",
    "A joint visit was agreed; dates follow from their protocol office.",
    "They prefer multi-year funding, but need a short note for their board.",
)
PROMISES = (
    "We will fund two more mobile clinics",
    "The bill will be tabled in the coming session",
    "The ministry will second four nurses",
    "The station will air the message daily for a month",
    "Access to the three camps will be granted",
)
ASKS = (
    "Fund the nutrition programme for the coming year",
    "Announce the free school meals law in public",
    "Create a budget line for social workers",
    "Open the crossing for medical supplies",
)
FOLLOW_UPS = ("Send the two-page note", "Call the private secretary", "Share the figures by district", "Propose dates for the visit")
PROGRAMMES = ("Routine immunisation", "School meals", "Safe water in schools", "Cash for families with children", "Child protection services", "Maternal and newborn care")  # fmt: skip
OUTPUTS = ("Supplies delivered", "Staff trained", "Services open in every district", "Families reached")
EVENTS = ("", "", "", "Pledging conference", "Round table of donors", "Annual session")

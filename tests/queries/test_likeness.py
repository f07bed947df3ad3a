"""Names that are alike, and names that are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.queries.likeness import Likeness, Nearest, keys, likeness

ALIKE = [
    ("Luxembourg, Government of", "Government of Luxembourg", False, Likeness.SAME),
    ("Dr. Amal Haddad", "HADDAD Amal", True, Likeness.SAME),
    ("José García", "Jose Garcia", True, Likeness.SAME),
    ("Save the Children", "Save Children", False, Likeness.SAME),
    ("Иван Петров", "Ivan Petrov", True, Likeness.SAME),
    ("王小明", "Wang Xiaoming", True, Likeness.SAME),
    ("وزارة الصحة", "وزاره الصحه", False, Likeness.SAME),
    ("Mohammed Al-Khatib", "محمد الخطيب", True, Likeness.WRITTEN),
    ("Mohamad Khateeb", "Muhammad al Khatib", True, Likeness.WRITTEN),
    ("Yousef Nasser", "يوسف ناصر", True, Likeness.WRITTEN),
    ("Fatimah Saleh", "فاطمة صالح", True, Likeness.WRITTEN),
    ("Sara Ahmad", "Sara Ahmed", True, Likeness.WRITTEN),
    ("UNCEF", "UNICEF", False, Likeness.WRITTEN),
    ("Ministry of Health", "Ministry of Heatlh", False, Likeness.TYPED),
    ("Omar Khalil", "Omar Saleh Khalil", True, Likeness.TYPED),
    ("Omar K. Khalil", "Omar Khalil", True, Likeness.TYPED),
    ("O. Khalil", "Omar Khalil", True, Likeness.TYPED),
]
APART = [
    ("UNICEF Jordan", "UNICEF Kenya", False),
    ("Plan International", "Plan International Kenya", False),
    ("District 4 committee", "District 5 committee", False),
    ("Ministry of Health", "Ministry of Education", False),
    ("Ali Hassan", "Ali Hussein", True),
    ("Anna Lind", "Hanna Lund", True),
    ("Omar Khalil", "Samir Khalil", True),
    ("Women's group of Zarqa", "Youth group of Zarqa", False),
    ("", "Anybody", True),
]


@pytest.mark.parametrize(("one", "other", "is_person", "expected"), ALIKE)
def test_names_of_one_party_are_alike_and_share_a_key(one, other, is_person, expected):
    assert likeness(one, other, is_person=is_person) is expected
    assert likeness(other, one, is_person=is_person) is expected
    assert keys(one) & keys(other), "or nobody would compare them"


@pytest.mark.parametrize(("one", "other", "is_person"), APART)
def test_sisters_and_namesakes_by_half_are_kept_apart(one, other, is_person):
    assert likeness(one, other, is_person=is_person) is Likeness.NO
    assert likeness(other, one, is_person=is_person) is Likeness.NO


@given(st.text(max_size=80), st.text(max_size=80), st.booleans())
def test_any_two_texts_are_compared_the_same_way_round_and_never_fail(one, other, is_person):
    assert likeness(one, other, is_person=is_person) is likeness(other, one, is_person=is_person)
    if likeness(one, other, is_person=is_person) >= Likeness.WRITTEN:
        assert keys(one) & keys(other)


@given(st.text(min_size=1, max_size=60))
def test_keys_fit_a_column_of_eight_bytes_and_are_few(name):
    assert len(keys(name)) <= 16
    assert all(-(2**63) <= key < 2**63 for key in keys(name))


def test_the_nearest_names_share_rare_words_and_common_words_lead_nowhere():
    donors = ["Vesterhav, Royal Aid Office", "Norland, Ministry of Foreign Affairs", "Sunrise Family Foundation", "Ford Foundation"]
    donors += [f"Ministry of Health of {name}" for name in ("Alpha", "Beta", "Gamma", "Delta", "Epsilon", "Zeta")]
    nearest = Nearest(donors)
    assert nearest.of("Kingdom of Vesterhav") == ["Vesterhav, Royal Aid Office"]
    assert nearest.of("Sunrise Foundation")[0] == "Sunrise Family Foundation"
    assert nearest.of("Ministry of Fisheries, Agriculture and Rural Development") == []
    assert [Nearest(names).of(text) for names, text in (([], "Norland"), (donors, ""), (donors, "Zzyzx"))] == [[], [], []]
    assert len(nearest.of("Ministry of Health", 2)) == 2

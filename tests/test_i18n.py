"""Translated text without Flask."""

from __future__ import annotations

import gettext
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from markupsafe import escape

from crm import i18n


@pytest.fixture
def french(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = Catalog(locale="fr")
    catalogue.add("Save", "Enregistrer")
    catalogue.add("Hello %(name)s", "Bonjour %(name)s")
    catalogue.add(("%(num)s row", "%(num)s rows"), ("%(num)s ligne", "%(num)s lignes"))
    catalogue.add("May", "Mai", context="month")
    folder = tmp_path / "fr" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "messages.mo").open("wb") as file:
        write_mo(file, catalogue)
    monkeypatch.setattr(i18n, "TRANSLATIONS", tmp_path)
    i18n.translations_for.cache_clear()
    yield
    i18n.translations_for.cache_clear()


def test_the_default_is_the_english_of_the_code() -> None:
    assert i18n.get_locale() == "en"
    assert i18n.gettext("100 %") == "100 %"
    assert i18n.gettext("%(n)s %%", n=5) == "5 %"
    assert i18n.ngettext("%(num)s row", "%(num)s rows", 2) == "2 rows"
    assert i18n.pgettext("month", "May") == "May"


@pytest.mark.usefixtures("french")
def test_the_language_of_the_context_is_spoken_and_left_again() -> None:
    label = i18n.lazy_gettext("Save")
    with i18n.use_locale("fr-CA"):
        assert i18n.gettext("Hello %(name)s", name="Ana") == "Bonjour Ana"
        assert i18n.ngettext("%(num)s row", "%(num)s rows", 2) == "2 lignes"
        assert i18n.pgettext("month", "May") == "Mai"
        assert str(label) == "Enregistrer"
    assert str(label) == "Save"
    assert i18n.get_locale() == "en"
    i18n.set_locale("en")


def test_lazy_text_reads_like_a_string_and_is_escaped_like_one() -> None:
    text = i18n.lazy_gettext("a < b")
    assert text == "a < b"
    assert text == i18n.lazy_gettext("a < b")
    assert text != 5
    assert hash(text) == hash("a < b")
    assert text < "b"
    assert "x " + text + "!" == "x a < b!"
    assert f"{text:>7}" == "  a < b"
    assert len(text) == 5
    assert "<" in text
    assert text.upper() == "A < B"
    assert "".join(text) == "a < b"
    assert i18n.lazy_gettext("%s!") % "x" == "x!"
    assert escape(text) == "a &lt; b"
    assert not i18n.LazyText(str)
    assert repr(text) == "LazyText('a < b')"
    with pytest.raises(AttributeError):
        text.__html__  # noqa: B018


@pytest.mark.parametrize("locale", ["../../etc", "en/..", "", "xx", "zz-ZZ"])
def test_a_strange_language_falls_back_to_english(locale: str) -> None:
    assert isinstance(i18n.translations_for(locale), gettext.NullTranslations)


def test_browsers_languages_are_matched() -> None:
    assert i18n.negotiate(["pt-BR", "fr-CA", "en"]) == "fr"
    assert i18n.negotiate(["zh_Hant"]) == "zh"
    assert i18n.negotiate(["pt"]) == "en"
    assert i18n.direction("ar") == "rtl"
    assert i18n.direction("fr") == "ltr"
    assert i18n.direction() == "ltr"
    assert set(i18n.LOCALES) == {"ar", "zh", "en", "fr", "ru", "es"}


def test_a_sentence_that_begins_with_a_name_keeps_the_direction_of_its_language() -> None:
    assert i18n.sentence(f"{i18n.named('عمر')} became Director") == "\u200e\u2068عمر\u2069 became Director"
    with i18n.use_locale("ar"):
        assert i18n.sentence(i18n.named("Omar")) == "\u200f\u2068Omar\u2069"

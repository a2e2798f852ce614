"""The content digest changes with every correction a reader can see, and with nothing else."""

import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.values.text.content import (
    PREFIX,
    _parted,
    _plain,
    changed_parts,
    content_digest,
    is_current,
    possible_digests,
)
from tests.rows import make_article

AT = datetime(2026, 3, 1, 6, tzinfo=UTC)
TEXT = "The fund lost 3.5 % on Monday, or $12m.\nIts head, Ada Byron, said: “No.”"


def digest(*, title="Fund falls", text=TEXT, authors=("Ada Byron", "Max Frei"), published_at=AT):
    return content_digest(title=title, text=text, authors=authors, published_at=published_at)


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"title": "Fund rises"}, ("title",)),
        ({"title": None}, ("title",)),
        ({"title": "Fund falls?"}, ("title",)),
        ({"text": TEXT.replace("lost", "won")}, ("words",)),
        ({"text": TEXT.replace("“No.”", "“No!”")}, ("words",)),
        ({"text": TEXT.replace("Monday", "monday")}, ("words",)),
        ({"text": TEXT.replace("3.5", "3.6")}, ("figures",)),
        ({"text": TEXT.replace("3.5", "-3.5")}, ("figures",)),
        ({"text": TEXT.replace("3.5", "−3.5")}, ("figures",)),
        ({"text": TEXT.replace("$12m", "€12m")}, ("figures",)),
        ({"text": TEXT.replace("$12m", "12m")}, ("figures",)),
        ({"text": TEXT.replace("3.5 %", "3.5 ‰")}, ("figures",)),
        ({"text": TEXT.replace("$12m", "$12bn")}, ("words",)),
        ({"text": TEXT.replace("3.5 %", "three")}, ("words", "figures")),
        ({"authors": ("Max Frei", "Ada Byron")}, ("authors",)),
        ({"authors": ("Ada Byron",)}, ("authors",)),
        ({"authors": ("Ada", "Byron Max Frei")}, ("authors",)),
        ({"published_at": AT + timedelta(minutes=1)}, ("date",)),
        ({"published_at": None}, ("date",)),
        ({"title": "Fund rises", "text": TEXT.replace("12", "13")}, ("title", "figures")),
        ({"text": "東京で3人がけが。", "title": "Fund falls"}, ("words", "figures")),
    ],
)
def test_each_correction_changes_its_part(change, parts):
    assert changed_parts(digest(), digest(**change)) == parts


@pytest.mark.parametrize(
    "change",
    [
        {"text": TEXT.replace("\n", " ")},
        {"text": TEXT.replace("3.5 %", "3.5\u202f%")},
        {"text": f"  {TEXT}\n"},
        {"text": TEXT.replace("Monday", "Mon\u00adday")},
        {"text": TEXT.replace("Byron", "Byron\u200b")},
        {"title": "Fund\u00a0falls "},
        {"authors": ("Ada  Byron", "Max Frei")},
        {"published_at": AT.astimezone(timezone(timedelta(hours=5)))},
    ],
)
def test_invisible_changes_leave_the_digest_unchanged(change):
    assert digest(**change) == digest()


def test_two_unicode_forms_of_a_text_have_one_digest():
    assert digest(text="caf\u00e9") == digest(text="cafe\u0301")


@given(st.text(), st.text())
def test_two_texts_have_one_digest_exactly_if_they_differ_only_in_white_space(one, other):
    spaced = "".join(f"{character} " if character.isspace() else character for character in one)

    assert digest(text=spaced) == digest(text=one)
    assert (digest(text=one) == digest(text=other)) is not bool(changed_parts(digest(text=one), digest(text=other)))


def test_unstorable_characters_count_as_they_are_stored():
    assert digest(text="a\0b\ud800") == digest(text="a\ufffdb\ufffd")


def test_a_digest_names_its_algorithm():
    assert digest().startswith(PREFIX)
    assert is_current(digest())
    assert not is_current(digest().replace(PREFIX, "c0:"))
    assert not is_current(None)


@pytest.mark.parametrize(("title", "published_at"), [("Harbour", AT), (None, AT), ("Harbour", None), (None, None)])
def test_a_row_may_have_the_digest_without_the_title_and_date_of_the_feed(title, published_at):
    row = make_article(title="Harbour", published_at=AT)
    page = content_digest(title=title, text=row.text, authors=row.authors, published_at=published_at)

    assert page in possible_digests(row)


FIGURE = re.compile(r"[-+−±–]?[$¢£¤¥₠-⃀￥]?\d+(?:[.,:/'’]\d+)*[%‰°$¢£¤¥₠-⃀￥]?")


@given(st.text("a5٣-+−±–$€₠⃀£￥.,:/'’%‰° \n\u00ad\u200b\u2060\ufeff\x1c\u2028é\u0301", max_size=20))
def test_figures_equal_those_of_one_regex_over_a_text_without_spaces(text):
    plain = re.sub(r"[\s\u00ad\u200b\u2060\ufeff]+", "", unicodedata.normalize("NFC", text))

    words, figures = _parted(_plain(text))

    assert "".join(part for pair in zip(words, [*figures, ""], strict=True) for part in pair) == plain
    assert (words, figures) == (FIGURE.split(plain), FIGURE.findall(plain))

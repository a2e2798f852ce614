import html
import re

import pytest

from tasks.extract.tree import clean, count_words, is_one_of, parse_html, remove, text_of, weigh, words_in, words_of


@pytest.mark.parametrize(
    "source",
    [
        "",
        "  \n ",
        "\x00\x00",
        "<!-- nothing -->",
        "%PDF-1.4 %%EOF",
        "\n%PDF-1.7",
        "ÿØÿà\x00\x10JFIF\x01\x02",
        "\x89PNG\r\n\x1a\n\x00",
    ],
    ids=["nothing", "white space", "NUL", "a comment", "a PDF", "a PDF after a line", "a JPEG", "a PNG"],
)
def test_an_empty_document_gives_no_tree(source):
    assert parse_html(source) is None


@pytest.mark.parametrize("source", ["words alone", "<p>a", "<td>a</td>", "<frameset><frame></frameset>"])
def test_any_content_has_a_root(source):
    assert parse_html(source).tag == "html"


def test_an_xml_declaration_does_not_decide_the_charset():
    assert (
        text_of(parse_html('<?xml version="1.0" encoding="latin-1"?><html><body>Müller – здесь</body></html>'))
        == "Müller – здесь"
    )


def test_a_meta_element_does_not_decide_the_charset():
    assert text_of(parse_html('<meta charset="latin-1"><body>Müller</body>')) == "Müller"


def test_nul_bytes_are_removed():
    assert text_of(parse_html("<p>har\x00bour</p>")) == "harbour"


def test_lone_surrogates_do_not_break_the_parser():
    assert "harbour" in text_of(parse_html("<p>\ud83d harbour</p>"))


def test_comments_and_instructions_are_no_nodes():
    assert all(isinstance(one.tag, str) for one in parse_html("<p>a<!-- b --><?php c ?>d</p>").iter())


def test_nesting_of_300_levels_is_kept():
    tree = parse_html("<div>" * 300 + "<p>deep</p>")

    assert [one.text for one in tree.iter("p")] == ["deep"]


def test_text_below_a_browsers_nesting_limit_moves_up():
    tree = parse_html("<div>" * 600 + "<b>deep</b>")

    assert text_of(tree) == "deep"
    assert sum(1 for _ in tree.iter()) <= 513


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        (None, ""),
        ("  two\n\t lines\u00a0 ", "two lines"),
        ("soft\u00adhyphen, zero\u200bwidth, \ufeffmark", "softhyphen, zerowidth, mark"),
        ("lost\ufffd", "lost"),
        ("e\u0301", "é"),
        ("می\u200cخواهم", "می\u200cخواهم"),  # U+200C is spelling in Persian
        ("bell\u0007", "bell"),
        ("plain", "plain"),
    ],
)
def test_text_is_cleaned(text, cleaned):
    assert clean(text) == cleaned


def test_words_are_equal_ignoring_case_and_punctuation():
    assert words_of("Don’t miss!") == words_of("don't  MISS")


def test_removing_an_element_keeps_its_tail_text():
    tree = parse_html("<p>one <b>two</b> three</p>")
    remove(list(tree.iter("b")))

    assert text_of(tree) == "one three"


def test_removing_a_child_of_a_removed_element_does_nothing():
    tree = parse_html("<div><p><b>two</b></p></div>three")
    remove([*tree.iter("p"), *tree.iter("b")])

    assert text_of(tree) == "three"


def weights_of(tree):
    elements = list(tree.iter())
    return weigh(elements, [one.getparent() for one in elements])


def test_weights_distinguish_text_from_links():
    tree = parse_html("<div>1234<a>56<b>7</b></a>89</div>")
    div = next(tree.iter("div"))
    weight = weights_of(tree)[div]

    assert (weight.text, weight.linked, weight.prose) == (9, 3, 6)


def test_text_after_a_link_is_not_link_text():
    tree = parse_html("<p><a>12</a>3456</p>")

    assert weights_of(tree)[next(tree.iter("p"))].link_share == pytest.approx(1 / 3)


@pytest.mark.parametrize("end", ["", "</head>", "</head><body>", "<body>"])
def test_content_not_allowed_in_a_head_starts_the_body(end):
    tree = parse_html(
        f"<html><head><title>T</title><meta name='a'><script>1</script>{end}<article><h1>T</h1>A story.</article>And more.<p>The end."
    )

    assert [one.tag for one in tree.find("head")] == ["title", "meta", "script"]
    assert " ".join(tree.find("body").text_content().split()) == "TA story.And more.The end."


@pytest.mark.parametrize("code", [*range(1, 0x20), 0xFFFE, 0xFFFF])
@pytest.mark.parametrize("spelt", ["&#{};", "&#{}", "&#0{};", "&#x{:x};", "&#X00{:X};", "{chr}"])
def test_characters_that_lxml_cannot_write_are_removed(code, spelt):
    tree = parse_html(f"<p>one{spelt.format(code, chr=chr(code))} two</p><p><b>three</b> four</p><i>{'x' * 900}</i>")
    assert tree is not None

    for paragraph in tree.iter("p"):  # lxml raises on such a character
        paragraph.text = paragraph.text
    remove(list(tree.iter("b")))

    assert [text_of(one) for one in tree.iter("p")] == ["one two", "four"]


@pytest.mark.parametrize(
    "reference", ["&#65;", "&#9;", "&#160;", "&#65535000;", "&#x41;", "&#xfffd;", "&#110;", "&#x1f600;", "&#12354;"]
)
def test_other_character_references_stay(reference):
    tree = parse_html(f"<p>a{reference}b</p>")

    assert tree is not None
    assert tree.findtext(".//p") == html.unescape(f"a{reference}b")


@pytest.mark.parametrize("name", ["o:p", "fb:like", "a:b:c", 'a"b', "x=y", "x'y", "x@y", "tête"])
def test_an_element_with_an_invalid_name_becomes_a_span(name):
    tree = parse_html(f"<ul><li><{name}>one</{name}> two</li></ul>")

    assert tree is not None
    assert [one.tag for one in tree.iterfind(".//li//*")] == ["span"]
    assert text_of(tree) == "one two"


@pytest.mark.parametrize("name", ["x-1.2", "my_tag", "section", "H1"])
def test_valid_element_names_stay(name):
    tree = parse_html(f"<div><{name}>one</{name}></div>")

    assert tree is not None
    assert [one.tag for one in tree.iterfind(".//div//*")] == [name.lower()]


@pytest.mark.parametrize(
    "source",
    [
        "<body><header><p>a</p></header></body></html><main><p>b</p></main></body></html>",
        "<BODY><P>a</P></BODY></HTML><P>b</P>",
        "<body><p>a</p></body><p>b</p></html>",
        "<body><p>a</p></html><p>b</p></body></html>",
        "<body><p>a</p></Body ></HTML><p>b</p></body>",
        "<body><p>a</p><p>b</p></body> </html> <!-- made in 0.2 s -->",
    ],
)
def test_content_after_an_end_tag_belongs_to_the_body(source):
    body = parse_html(f"<html><head><title>t</title></head>{source}").find("body")

    assert [text_of(one) for one in body.iter("p")] == ["a", "b"]


@pytest.mark.parametrize("text", ["A story of the quay", "a_b-c's 3.5 (x)", "Ferry №5, Ünal", ""])
def test_words_are_runs_of_letters_and_digits_casefolded(text):
    words = tuple(re.findall(r"[^\W_]+", text.casefold()))

    assert words_in(text) == words
    assert count_words(text) == len(words)


def test_a_text_counts_as_a_title_if_it_says_nothing_else():
    titles = [("the", "quay"), ("harbour",)]

    assert is_one_of("The quay.", titles)
    assert not is_one_of("The quay is open", titles)
    assert not is_one_of("The", titles)
    assert not is_one_of("Quay", [])

from lxml.html import fragment_fromstring

from tasks.extract.element_names import ElementNames

ROW = """<div><p class="Lead Photo">a</p><p itemprop="photo">b</p><p>c</p><p class="">d</p><p class="photo photo">e</p>
<p class="pho" id="to">f</p><p class="x\nİ photo-credit">g</p></div>"""


def texts(attribute: str, *words: str, instead: str = "") -> list[str]:
    names = ElementNames(list(fragment_fromstring(ROW)), attribute, instead=instead)
    return [one.text for one in names.holding(*words)]


def test_a_word_is_found_within_names_ignoring_case():
    assert texts("class", "photo") == ["a", "e", "g"]


def test_the_second_attribute_is_used_if_the_first_is_missing():
    assert texts("class", "photo", instead="itemprop") == ["a", "b", "e", "g"]


def test_matches_of_several_words_are_in_page_order_each_element_once():
    assert texts("class", "credit", "pho", "lead") == ["a", "e", "f", "g"]


def test_a_word_is_not_found_across_two_elements():
    assert texts("class", "photopho") == []


def test_without_names_nothing_is_found():
    assert texts("data-name", "photo") == []

from lxml.html import fragment_fromstring

from tasks.extract.element_names import ElementNames

ROW = """<div><p class="Lead Photo">a</p><p itemprop="photo">b</p><p>c</p><p class="">d</p><p class="photo photo">e</p>
<p class="pho" id="to">f</p><p class="x\nİ photo-credit">g</p></div>"""


def texts(attribute: str, *words: str, instead: str = "") -> list[str]:
    names = ElementNames(list(fragment_fromstring(ROW)), attribute, instead=instead)
    return [one.text for one in names.holding(*words)]


def test_a_word_is_found_within_names_whatever_their_case():
    assert texts("class", "photo") == ["a", "e", "g"]


def test_another_attribute_names_what_lacks_the_first():
    assert texts("class", "photo", instead="itemprop") == ["a", "b", "e", "g"]


def test_several_words_are_found_in_the_order_of_the_page_and_each_element_once():
    assert texts("class", "credit", "pho", "lead") == ["a", "e", "f", "g"]


def test_a_word_is_not_found_across_two_elements():
    assert texts("class", "photopho") == []


def test_where_nothing_has_a_name_nothing_is_found():
    assert texts("data-name", "photo") == []

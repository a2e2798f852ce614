"""Legacy and modern charsets, declared correctly, wrongly and not at all."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.web.text import decode_text
from tests.work import calls_of

GERMAN = "Der Gemeinderat beschloß am Dienstag, die Brücke über die Würm für zwölf Monate zu schließen; Fußgänger dürfen hinüber."
FRENCH = (
    "Le conseil a décidé mardi de fermer le pont à la circulation pendant près d’une année, où l’été sera compliqué."
)
SPANISH = "El alcalde anunció mañana que el puente quedará cerrado; «será difícil», señaló, según la agencia española."
POLISH = (
    "Rada miasta zdecydowała we wtorek o zamknięciu mostu na rok. Mieszkańcy są źli, gdyż żaden objazd nie powstał. "
    "Wójt gminy obiecał, że przejście dla pieszych będzie otwarte już wkrótce, a każdy dostanie pomoc."
)
CZECH = "Rada města v úterý rozhodla, že most bude na rok uzavřen. Příští týden začnou dělníci s opravou, řekl mluvčí úřadu."
HUNGARIAN = "A városi tanács kedden úgy döntött, hogy egy évre lezárják a hidat; a gyalogosok előtt nyitva marad, közölte a szóvivő."
RUSSIAN = (
    "Городской совет во вторник решил закрыть мост на двенадцать месяцев. Пешеходы смогут переходить реку, "
    "как и прежде, сообщил представитель администрации, а водителям придётся искать объезд."
)
UKRAINIAN = "Міська рада у вівторок вирішила закрити міст на рік. Пішоходи зможуть переходити річку, як і раніше, її мешканці згодні."
GREEK = (
    "Το δημοτικό συμβούλιο αποφάσισε την Τρίτη να κλείσει τη γέφυρα για έναν χρόνο. Οι πεζοί θα περνούν όπως και πριν."
)
TURKISH = "Belediye meclisi salı günü köprünün bir yıl süreyle kapatılmasına karar verdi; yayalar geçebilecek, dedi sözcü. Işık şart."
HEBREW = "מועצת העיר החליטה ביום שלישי לסגור את הגשר לשנה. הולכי רגל יוכלו לחצות את הנהר כמו קודם, אמר הדובר."
ARABIC = "قرر مجلس المدينة يوم الثلاثاء إغلاق الجسر لمدة عام. وسيتمكن المشاة من عبور النهر كما في السابق، قال المتحدث."
THAI = "สภาเมืองมีมติเมื่อวันอังคารให้ปิดสะพานเป็นเวลาหนึ่งปี คนเดินเท้ายังข้ามแม่น้ำได้เช่นเดิม โฆษกกล่าว"
LITHUANIAN = "Miesto taryba antradienį nusprendė metams uždaryti tiltą. Pėstieji galės vaikščioti kaip anksčiau, sakė žmogus iš žinybos."
VIETNAMESE = "Cầu sẽ đóng cửa trong một năm, hội đồng thành phố cho biết."
JAPANESE = (
    "市議会は火曜日、橋を一年間閉鎖することを決めた。歩行者はこれまで通り川を渡ることができる、と広報担当者は語った。"
)
CHINESE = "市议会星期二决定将这座桥关闭一年。行人仍可像以前一样过河，发言人说。司机必须绕行，居民对此表示不满。"
TAIWANESE = "市議會星期二決定將這座橋關閉一年。行人仍可像以前一樣過河，發言人說。駕駛人必須繞行，居民對此表示不滿。"
KOREAN = (
    "시의회는 화요일에 다리를 일 년 동안 폐쇄하기로 결정했다. 보행자는 예전처럼 강을 건널 수 있다고 대변인이 말했다."
)


def page(text, head=""):
    return f"<!doctype html><html><head>{head}<title>News</title></head><body><p>{text}</p></body></html>"


def meta(label):
    return f'<meta charset="{label}">'


def equiv(label):
    return f'<meta http-equiv="Content-Type" content="text/html; charset={label}">'


LEGACY = [
    # text, its codec, the declared label, the detected charset
    (GERMAN, "latin_1", "ISO-8859-1", "windows-1252"),
    (GERMAN, "iso8859_15", "iso-8859-15", "iso-8859-15"),
    (FRENCH, "cp1252", "latin1", "windows-1252"),
    (SPANISH, "cp1252", "windows-1252", "windows-1252"),
    (POLISH, "iso8859_2", "iso-8859-2", "iso-8859-2"),
    (POLISH, "cp1250", "windows-1250", "windows-1250"),
    (CZECH, "cp1250", "cp1250", "windows-1250"),
    (HUNGARIAN, "iso8859_2", "latin2", "iso-8859-2"),
    (RUSSIAN, "cp1251", "windows-1251", "windows-1251"),
    (RUSSIAN, "koi8_r", "KOI8-R", "koi8-r"),
    (RUSSIAN, "iso8859_5", "iso-8859-5", "iso-8859-5"),
    (RUSSIAN, "cp866", "ibm866", "ibm866"),
    (RUSSIAN, "mac_cyrillic", "x-mac-cyrillic", "x-mac-cyrillic"),
    (UKRAINIAN, "cp1251", "win-1251", "windows-1251"),
    (UKRAINIAN, "koi8_u", "koi8-u", "koi8-u"),
    (GREEK, "iso8859_7", "iso-8859-7", "iso-8859-7"),
    (GREEK, "cp1253", "windows-1253", "windows-1253"),
    (TURKISH, "iso8859_9", "iso-8859-9", "windows-1254"),
    (TURKISH, "cp1254", "windows-1254", "windows-1254"),
    (HEBREW, "cp1255", "windows-1255", "windows-1255"),
    (HEBREW, "iso8859_8", "iso-8859-8-i", "iso-8859-8"),
    (ARABIC, "cp1256", "windows-1256", "windows-1256"),
    (ARABIC, "iso8859_6", "iso-8859-6", "iso-8859-6"),
    (THAI, "tis_620", "tis-620", "windows-874"),
    (THAI, "cp874", "windows-874", "windows-874"),
    (LITHUANIAN, "cp1257", "windows-1257", "windows-1257"),
    (LITHUANIAN, "iso8859_13", "iso-8859-13", "iso-8859-13"),
    (JAPANESE, "shift_jis", "Shift_JIS", "shift_jis"),
    (JAPANESE + "①㈱", "cp932", "x-sjis", "shift_jis"),
    (JAPANESE, "euc_jp", "EUC-JP", "euc-jp"),
    (JAPANESE + "①", "euc_jis_2004", "euc-jp", "euc-jp"),
    (JAPANESE, "iso2022_jp", "ISO-2022-JP", "iso-2022-jp"),
    (CHINESE, "gb2312", "gb2312", "gb18030"),
    (CHINESE + "镕", "gbk", "gb2312", "gb18030"),
    (CHINESE + "𠀀", "gb18030", "gb18030", "gb18030"),
    (CHINESE, "hz", "hz-gb-2312", "hz-gb-2312"),
    (TAIWANESE, "big5", "Big5", "big5"),
    (TAIWANESE + "嘅", "big5hkscs", "big5-hkscs", "big5"),
    (KOREAN, "euc_kr", "euc-kr", "euc-kr"),
    (KOREAN + "똠", "cp949", "ks_c_5601-1987", "euc-kr"),
    (GERMAN, "mac_roman", "macintosh", "macintosh"),
    (GERMAN, "utf_8", "utf8", "utf-8"),
]


@pytest.mark.parametrize(("text", "codec", "label", "name"), LEGACY)
@pytest.mark.parametrize("declare", ["header", "meta", "http-equiv", "xml", "late meta"])
def test_a_declared_charset_is_read(text, codec, label, name, declare):
    heads = {
        "meta": meta(label),
        "http-equiv": equiv(label),
        "late meta": "<style>" + "x" * 3000 + "</style>" + meta(label),
    }
    content_type = f"text/html; charset={label}" if declare == "header" else "text/html"
    whole = page(text, heads.get(declare, ""))
    if declare == "xml":
        whole = f'<?xml version="1.0" encoding="{label}"?>{whole}'

    assert decode_text(whole.encode(codec), content_type) == (whole, name)


@pytest.mark.parametrize(
    ("text", "codec", "name"),
    [
        (GERMAN, "utf_8", "utf-8"),
        (RUSSIAN, "cp1251", "windows-1251"),
        (RUSSIAN, "koi8_r", "koi8-r"),
        (RUSSIAN, "iso8859_5", "iso-8859-5"),
        (RUSSIAN, "cp866", "ibm866"),
        (GREEK, "iso8859_7", "iso-8859-7"),
        (HEBREW, "cp1255", "windows-1255"),
        (ARABIC, "cp1256", "windows-1256"),
        (THAI, "tis_620", "windows-874"),
        (POLISH, "cp1250", "windows-1250"),
        (POLISH, "iso8859_2", "iso-8859-2"),
        (JAPANESE, "shift_jis", "shift_jis"),
        (JAPANESE, "euc_jp", "euc-jp"),
        (JAPANESE, "iso2022_jp", "iso-2022-jp"),
        (CHINESE, "gb18030", "gb18030"),
        (TAIWANESE, "big5", "big5"),
        (KOREAN, "euc_kr", "euc-kr"),
        (GERMAN, "cp1252", "windows-1252"),
        (SPANISH, "cp1252", "windows-1252"),
    ],
)
def test_an_undeclared_charset_is_detected(text, codec, name):
    whole = page(text * 3)

    assert decode_text(whole.encode(codec), None) == (whole, name)


@pytest.mark.parametrize(
    ("mark", "codec", "name"),
    [
        (codecs.BOM_UTF8, "utf_8", "utf-8"),
        (codecs.BOM_UTF16_LE, "utf_16_le", "utf-16le"),
        (codecs.BOM_UTF16_BE, "utf_16_be", "utf-16be"),
    ],
)
def test_a_byte_order_mark_comes_before_every_declaration(mark, codec, name):
    whole = page(VIETNAMESE, meta("iso-8859-1"))

    assert decode_text(mark + whole.encode(codec), "text/html; charset=windows-1251") == (whole, name)


@pytest.mark.parametrize(("codec", "name"), [("utf_16_le", "utf-16le"), ("utf_16_be", "utf-16be")])
@pytest.mark.parametrize("content_type", [None, "text/html; charset=utf-16", "text/html; charset=utf-8"])
def test_utf16_without_a_mark_is_detected_by_its_nuls(codec, name, content_type):
    whole = page(RUSSIAN, meta("utf-16"))

    assert decode_text(whole.encode(codec), content_type) == (whole, name)


@pytest.mark.parametrize(
    ("body", "content_type", "expected", "name"),
    [
        (page(GERMAN, meta("utf-8")).encode(), "text/html; charset=ISO-8859-1", page(GERMAN, meta("utf-8")), "utf-8"),
        (page(GERMAN).encode(), "text/html; charset=windows-1252", page(GERMAN), "utf-8"),
        (page(RUSSIAN).encode(), "text/html; charset=windows-1251", page(RUSSIAN), "utf-8"),
        (page(CHINESE).encode(), "text/html; charset=gb2312", page(CHINESE), "utf-8"),
        (page(JAPANESE).encode(), "text/html; charset=euc-jp", page(JAPANESE), "utf-8"),
        (page(FRENCH, meta("utf-16")).encode(), None, page(FRENCH, meta("utf-16")), "utf-8"),
    ],
    ids=["latin-1 header", "no meta", "cyrillic header", "gb2312 header", "euc-jp header", "utf-16 in a meta"],
)
def test_utf8_wins_over_a_declaration_that_it_contradicts(body, content_type, expected, name):
    assert decode_text(body, content_type) == (expected, name)


@pytest.mark.parametrize(
    ("body", "content_type", "expected", "name"),
    [
        (
            page(RUSSIAN, meta("windows-1251")).encode("cp1251"),
            "text/html; charset=utf-8",
            page(RUSSIAN, meta("windows-1251")),
            "windows-1251",
        ),
        (page(RUSSIAN * 2).encode("cp1251"), "text/html; charset=utf-8", page(RUSSIAN * 2), "windows-1251"),
        (page(JAPANESE).encode("shift_jis"), "text/html; charset=utf-8", page(JAPANESE), "shift_jis"),
        (page(GERMAN, meta("utf-8")).encode("cp1252"), None, page(GERMAN, meta("utf-8")), "windows-1252"),
    ],
    ids=["meta is right", "no meta", "japanese", "meta is wrong"],
)
def test_a_wrong_utf8_declaration_gives_way(body, content_type, expected, name):
    assert decode_text(body, content_type) == (expected, name)


@pytest.mark.parametrize("content_type", [None, "text/html; charset=utf-8"])
def test_a_page_with_a_few_broken_bytes_stays_utf8(content_type):
    body = page(GERMAN).encode().replace(b"zu schlie", b"\xff\xfe zu schlie") + "…".encode()[:2]

    text, name = decode_text(body, content_type)

    assert name == "utf-8"
    assert "Brücke über die Würm" in text


@pytest.mark.parametrize(
    "head",
    [
        '<META CHARSET="windows-1251">',
        "<meta charset=windows-1251>",
        "<meta charset = 'windows-1251' />",
        '<meta name="x" charset="windows-1251">',
        "<meta http-equiv=Content-Type content='text/html;charset=windows-1251'>",
        '<meta content="text/html; charset=windows-1251" http-equiv="content-type">',
        '<!-- <meta charset="utf-16"> --><meta charset="windows-1251">',
        '<meta name="description" content="how to write charset=koi8-r"><meta charset="windows-1251">',
    ],
)
def test_a_meta_element_is_found_however_it_is_written(head):
    assert decode_text(page(UKRAINIAN, head).encode("cp1251"), None) == (page(UKRAINIAN, head), "windows-1251")


@pytest.mark.parametrize(
    "content_type",
    [
        "text/html;charset=windows-1251",
        'text/html; charset="windows-1251"',
        "text/html; Charset = 'Windows-1251'; x=y",
        "charset=windows-1251",
        "text/html; charset=WIN1251, text/html",
    ],
)
def test_a_header_is_found_however_it_is_written(content_type):
    assert decode_text(UKRAINIAN.encode("cp1251"), content_type)[1] == "windows-1251"


@pytest.mark.parametrize(
    "label", ["utf-7", "rot13", "idna", "unicode_escape", "base64", "../../x", "klingon", "", "\x00"]
)
def test_an_unknown_charset_label_is_ignored(label):
    assert decode_text(page(GERMAN).encode(), f"text/html; charset={label}") == (page(GERMAN), "utf-8")


def test_pure_ascii_is_utf8():
    assert decode_text(b"<p>plain", None) == ("<p>plain", "utf-8")
    assert decode_text(b"", None) == ("", "utf-8")


@given(st.binary(max_size=3000), st.none() | st.text(max_size=40).map("text/html; charset={}".format))
def test_no_bytes_and_no_label_raise(body, content_type):
    text, name = decode_text(body, content_type)

    assert isinstance(text, str)
    assert name == name.lower()


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00\x1b\ufeff"), max_size=500))
def test_utf8_without_nuls_always_comes_back(text):
    assert decode_text(text.encode(), "text/html; charset=utf-8") == (text, "utf-8")


HOSTILE = (
    b"<meta " * 700,
    b"<!--" * 1000,
    b"<?xml " + b"encoding" * 500,
    b"<meta charset" * 300 + b"\xff" * 200_000,
)


def test_hostile_markup_is_parsed_in_few_steps():
    def read():
        for body in HOSTILE:
            decode_text(body, "charset" * 10_000)

    assert calls_of(read) < 1000


@pytest.mark.parametrize(
    "content_type",
    ["text/xml; charset=" + " " * 60_000 + ";", "charset " * 8000, "text/html; charset='" + " " * 60_000 + "utf-8"],
)
def test_a_long_label_is_ignored(content_type):
    assert decode_text("<p>caf\xe9</p>".encode("latin-1"), content_type)[0] == "<p>café</p>"

"""Parse dates and times as people write them, in many languages, into aware instants. Pure.

`11. Februar 2025, 7.30 Uhr`, `Feb. 11, 2025, 4:19 PM ET`, `2025年2月11日`. Nothing is guessed from the clock or from an
ambiguous order: `03-09-2026` is not parsed.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

_NAMES = (
    # one row per month: English, German, Dutch, Scandinavian, Finnish, Icelandic; Romance; Slavic; Baltic; others
    ("january januar jänner januari tammikuu tammikuuta janúar janvier enero gennaio janeiro ianuarie gener styczeń stycznia leden ledna "
    "január januára siječanj siječnja januara январь января січень січня януари студзеня sausio janvāris ιανουάριος ιανουαρίου ocak يناير "
    "جانفي ינואר जनवरी জানুয়ারি মাঘ มกราคม ม.ค. jan jän janv ene gen ian sty led sij янв січ ιαν oca"),
    ("february februar feber februari helmikuu helmikuuta febrúar février febrero febbraio fevereiro februarie febrer luty lutego únor "
    "února február februára veljača veljače februara февраль февраля лютий лютого февруари vasario februāris φεβρουάριος φεβρουαρίου şubat "
    "فبراير فيفري פברואר फरवरी फ़रवरी ফেব্রুয়ারি กุมภาพันธ์ ก.พ. feb févr fév fevr fev lut úno velj фев февр лют φεβ şub"),
    ("march märz maart mars marts maaliskuu maaliskuuta marzo março martie març marzec marca březen března marec március ožujak ožujka "
    "marta март марта березень березня kovo marts μάρτιος μαρτίου mart مارس מרץ मार्च মার্চ มีนาคม มี.ค. mar mär mrt mrz maa bře ožu мар бер μαρ"),
    ("april aprile avril abril aprilie kwiecień kwietnia duben dubna apríl apríla április travanj travnja aprila апрель апреля квітень "
    "квітня април balandžio aprīlis απρίλιος απριλίου nisan huhtikuu huhtikuuta أبريل أفريل ابريل אפריל अप्रैल এপ্রিল เมษายน เม.ย. apr avr abr kwi dub tra апр "
    "квіт απρ nis huhti"),
    ("may mai mei maj toukokuu toukokuuta maí mayo maggio maio maig maja květen května máj mája május svibanj svibnja май мая травень "
    "травня gegužės maijs μάιος μαΐου mayıs مايو ماي מאי मई মে พฤษภาคม พ.ค. mag kvě svi трав μαϊ"),
    ("june juni juno kesäkuu kesäkuuta júní juin junio giugno junho iunie juny czerwiec czerwca červen června jún júna június lipanj lipnja "
    "juna июнь июня червень червня юни birželio jūnijs ιούνιος ιουνίου haziran يونيو جوان יוני जून জুন มิถุนายน มิ.ย. jun giu iun cze čer lip июн черв "
    "ιουν haz kesä"),
    ("july juli heinäkuu heinäkuuta júlí juillet julio luglio julho iulie juliol lipiec lipca červenec července júl júla július srpanj "
    "srpnja jula июль июля липень липня юли liepos jūlijs ιούλιος ιουλίου temmuz يوليو جويلية יולי जुलाई জুলাই กรกฎาคม ก.ค. jul juil lug iul červ "
    "июл лип ιουλ tem heinä"),
    ("august augustus augusti elokuu elokuuta ágúst août agosto agost sierpień sierpnia srpen srpna augusta augusztus kolovoz kolovoza avgust "
    "avgusta август августа серпень серпня rugpjūčio augusts αύγουστος αυγούστου ağustos أغسطس أوت אוגוסט अगस्त আগস্ট สิงหาคม ส.ค. aug août aoû ago "
    "sie srp kol авг серп αυγ ağu elo"),
    ("september septembre septiembre settembre setembro septembrie setembre syyskuu syyskuuta wrzesień września září szeptember rujan rujna "
    "septembra сентябрь сентября вересень вересня септември rugsėjo septembris σεπτέμβριος σεπτεμβρίου eylül سبتمبر ספטמבר सितंबर सितम्बर সেপ্টেম্বর "
    "กันยายน ก.ย. sep sept set wrz zář ruj сен сент вер σεπ eyl syys"),
    ("october oktober oktobre octobre octubre ottobre outubro octombrie lokakuu lokakuuta október październik października říjen října "
    "októbra listopad listopada oktobra октябрь октября жовтень жовтня октомври spalio oktobris οκτώβριος οκτωβρίου ekim أكتوبر אוקטובר "
    "अक्टूबर अक्तूबर অক্টোবর ตุลาคม ต.ค. oct okt ott out paź říj окт жовт οκτ eki loka"),
    ("november novembre noviembre novembro noiembrie marraskuu marraskuuta nóvember listopadu studeni studenoga studenog novembra ноябрь "
    "ноября листопад листопада ноември lapkričio novembris νοέμβριος νοεμβρίου kasım نوفمبر נובמבר नवंबर नवम्बर নভেম্বর พฤศจิกายน พ.ย. nov noi lis "
    "stu ноя нояб лист νοε kas marras"),
    ("december dezember décembre diciembre dicembre dezembro decembrie desembre joulukuu joulukuuta desember grudzień grudnia prosinec "
    "prosince prosinac prosinca decembra декабрь декабря грудень грудня декември gruodžio decembris δεκέμβριος δεκεμβρίου aralık ديسمبر "
    "דצמבר दिसंबर दिसम्बर ডিসেম্বর ธันวาคม ธ.ค. dec déc dez dic des gru pro дек груд δεκ ara joulu"),
)  # fmt: skip
_MONTHS = {
    unicodedata.normalize("NFC", name): number for number, names in enumerate(_NAMES, start=1) for name in names.split()
}
_POLISH = {"listopada": 11, "listopad": 11}
"""`27 listopada` is November in Polish; with a dot after the day it is October in Croatian."""

_HEBREW_IN = "ב"
"""`11 בפברואר 2025`: in February."""

_ZONES_H = {
    "z": 0, "ut": 0, "utc": 0, "gmt": 0, "wet": 0, "west": 1, "bst": 1, "cet": 1, "cest": 2, "mez": 1, "mesz": 2,
    "eet": 2, "eest": 3, "msk": 3, "pkt": 5, "ist": 5.5, "ict": 7, "wib": 7, "sgt": 8, "hkt": 8, "awst": 8, "jst": 9,
    "kst": 9, "acst": 9.5, "acdt": 10.5, "aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13, "hst": -10, "akst": -9,
    "akdt": -8, "pst": -8, "pdt": -7, "mst": -7, "mdt": -6, "cst": -6, "cdt": -5, "est": -5, "edt": -4, "brt": -3,
    "brst": -2, "art": -3, "trt": 3, "uhr": None,
}  # fmt: skip
_PLACES = {"et": "America/New_York", "ct": "America/Chicago", "mt": "America/Denver", "pt": "America/Los_Angeles"}

_LETTER = r"[^\W\d_\u0300-\u036f]|[\u0900-\u0dff\u0e00-\u0e7f]"  # combining marks of Indic and Thai scripts are not letters by themselves
_WORD = rf"(?:{_LETTER})+(?:\.(?:{_LETTER})+)?\.?"
_SHAPES = tuple(
    re.compile(shape, re.IGNORECASE)
    for shape in (
        r"(?P<year>\d{4})\s*[年년]\s*(?P<month>\d{1,2})\s*[月월]\s*(?P<day>\d{1,2})\s*[日일]",
        r"(?<![\d./-])(?P<year>\d{4})(?P<mark>[-/.])\s?(?P<month>\d{1,2})(?P=mark)\s?(?P<day>\d{1,2})(?![\d/-])\.?",
        r"(?<!\d)(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)(?=T\d{4})",
        rf"(?<![\d.])(?P<day>\d{{1,2}})(?P<point>\.|st|nd|rd|th|er|º|°|ª)?(?:\s+|-)(?:de\s+|of\s+)?(?P<name>{_WORD})(?:\s+|-|,\s*)(?:del?\s+)?(?P<year>\d{{4}})(?!\d)",
        r"(?<!\d)(?P<day>\d{1,2})\s+tháng\s+(?P<month>\d{1,2})(?:,|\s+năm)?\s+(?P<year>\d{4})(?!\d)",
        rf"(?P<name>{_WORD})\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}})(?!\d)",
        # Fri Nov 27 10:00:00 CET 2026 (asctime with a zone)
        rf"(?P<name>{_WORD})\s+(?P<day>\d{{1,2}})\s+(?P<hour>\d{{1,2}}):(?P<minute>\d\d):(?P<second>\d\d)\s+(?:(?P<zone>[A-Z]{{2,5}})\s+)?(?P<year>\d{{4}})(?!\d)",
        rf"(?P<year>\d{{4}})\.?\s+(?P<name>{_WORD})\s+(?P<day>\d{{1,2}})\.?(?!\d)",
        r"(?<![\d.])(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\.\s?(?P<year>\d{4})(?!\d)",
        r"(?<![\d/])(?P<a>\d{1,2})[/-](?P<b>\d{1,2})[/-](?P<year>\d{4})(?![\d/])",
    )
)
_CLOCK = re.compile(
    r"(?:T|,?\s*(?:\bat|\bum|à|às|a las|alle(?: ore)?|ore|klo|kl\.?|o|о|в|om|[|•·–—-])?\s*)"
    r"(?P<hour>\d{1,2})(?P<mark>:|\.|h|時|시\s?|点|：)(?P<minute>\d\d)?分?분?(?::(?P<second>\d\d)(?:[.,]\d+)?)?\s*(?P<half>[ap]\.?\s?m\b\.?)?\s*(?:uhr\b|hrs\b|h\b)?"
    r"|,?\s*(?:\bat\s+)?(?P<hour12>\d{1,2})\s*(?P<half12>[ap]\.?m\b\.?)"
    r"|T(?P<packed>\d{4}(?:\d\d)?)",
    re.IGNORECASE,
)
_ZONE = re.compile(
    r"\s*\(?(?P<place>[A-Z][a-z]+(?:/[A-Z][A-Za-z_]+)+)\)?"
    r"|\s*(?:(?:GMT|UTC)(?=[+-]))?(?P<sign>[+\u2212-])(?P<hours>\d{1,2}):?(?P<minutes>\d\d)?(?!\d)"
    r"|\s*\(?(?P<name>[A-Za-z]{1,5})\b\)?"
)
_BEFORE = re.compile(r"(?:[^\W\d_]+[.:,]{0,2}\s*){0,3}")  # a weekday or a label
_AFTER = re.compile(r"(?:[\s,(]*[^\W\d_]{1,12}[.)]?){0,2}\s*")  # a repeated zone, a weekday
UNSTATED = timezone(timedelta(), "unstated")
"""The zone of dates written without one: read as UTC, but distinguishable from it."""

_BUDDHIST = 2400  # greater years are of the Buddhist era, as in Thailand


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenDate:
    """An instant and its position in the text; `has_clock`: a time of day was written."""

    instant: datetime
    start: int
    end: int
    has_clock: bool


def find_date(text: str) -> WrittenDate | None:
    """Return the first date in a text, with time and zone; a missing zone is UNSTATED, a missing time midnight."""
    text = unicodedata.normalize("NFC", text)
    found = [one for shape in _SHAPES if (match := shape.search(text)) and (one := _read(text, match))]
    return min(found, key=lambda one: (one.start, -one.end), default=None)


def read_date(text: str) -> WrittenDate | None:
    """Parse a text that is a date, possibly with a weekday or label before it and a zone name after it; else None."""
    found = find_date(text)
    if found is None or not _BEFORE.fullmatch(text, 0, found.start) or not _AFTER.fullmatch(text, found.end):
        return None
    return found


def offset_s_of(instant: datetime | None) -> int | None:
    """Return the UTC offset of an instant as written, in seconds; None if no zone was written."""
    offset = instant.utcoffset() if instant is not None else None
    if instant is None or offset is None or instant.tzname() == UNSTATED.tzname(None):
        return None
    return int(offset.total_seconds())


def month_of(name: str, *, has_point: bool = False) -> int | None:
    """Return the month that a word names, in full or abbreviated; None if there is none."""
    word = name.casefold()
    bare = word.rstrip(".")
    if not has_point and bare in _POLISH:
        return _POLISH[bare]
    return _MONTHS.get(word) or _MONTHS.get(bare) or _MONTHS.get(bare.removeprefix(_HEBREW_IN))


def zone_of(text: str) -> tzinfo | None:
    """Return the zone that a text names, by offset, abbreviation or city; None if there is none."""
    match = _ZONE.fullmatch(text)
    return _zone(match) if match else None


def _read(text: str, match: re.Match[str]) -> WrittenDate | None:
    parts = match.groupdict()
    day = _day_of(parts)
    if day is None:
        return None
    if parts.get("hour"):
        clock = (int(parts["hour"] or 0), int(parts["minute"] or 0), min(int(parts["second"] or 0), 59))
        zone, end = zone_of(parts["zone"]) if parts["zone"] else UNSTATED, match.end()
        return _written(day, clock, zone, match.start(), end) if zone is not None else None
    end = match.end()
    found = _CLOCK.match(text, end)
    read = _clock_of(found) if found else None
    end = found.end() if found and read is not None else end
    named = _ZONE.match(text, end) if read is not None or text[end : end + 1] in ("Z", "z", "+", "-") else None
    zone = _zone(named) if named else None
    end = named.end() if named and zone is not None else end
    return _written(day, read, zone, match.start(), end)


def _written(
    day: tuple[int, int, int], clock: tuple[int, int, int] | None, zone: tzinfo | None, start: int, end: int
) -> WrittenDate | None:
    try:
        instant = datetime(*day, *(clock or (0, 0, 0)), tzinfo=zone or UNSTATED)
        instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return WrittenDate(instant=instant, start=start, end=end, has_clock=clock is not None)


def _day_of(parts: dict[str, str | None]) -> tuple[int, int, int] | None:
    year = int(parts["year"] or 0)
    year -= 543 if year > _BUDDHIST else 0
    if (a := parts.get("a")) is not None:
        first, second = int(a), int(parts["b"] or 0)
        if first > 12 >= second or first == second:
            return year, second, first
        return (year, first, second) if second > 12 >= first else None
    name = parts.get("name")
    month = int(parts["month"] or 0) if name is None else month_of(name, has_point=parts.get("point") == ".")
    return (year, month, int(parts["day"] or 0)) if month else None


def _clock_of(match: re.Match[str]) -> tuple[int, int, int] | None:
    if packed := match["packed"]:
        hour, minute, second = int(packed[:2]), int(packed[2:4]), int(packed[4:] or 0)
    elif match["hour12"]:
        hour, minute, second = int(match["hour12"]), 0, 0
    elif match["minute"] is None and match["mark"] not in "h時시点":
        return None
    else:
        hour, minute, second = int(match["hour"]), int(match["minute"] or 0), int(match["second"] or 0)
    half = (match["half"] or match["half12"] or "")[:1].casefold()
    if half and hour <= 12:
        hour = hour % 12 + (12 if half == "p" else 0)
    return (hour, minute, min(second, 59)) if hour < 24 and minute < 60 else None


def _zone(match: re.Match[str]) -> tzinfo | None:
    if match["place"]:
        return _place(match["place"])
    if match["sign"]:
        hours, minutes = match["hours"], match["minutes"] or "0"
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        return timezone(offset if match["sign"] == "+" else -offset) if offset < timedelta(days=1) else None
    name = match["name"].casefold()
    if name in _PLACES:
        return _place(_PLACES[name])
    hours_ahead = _ZONES_H.get(name)
    return UTC if hours_ahead == 0 else timezone(timedelta(hours=hours_ahead)) if hours_ahead is not None else None


@lru_cache(maxsize=256)
def _place(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None

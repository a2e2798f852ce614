"""Made-up test data: stories of one template, which are not copies of each other, and edited copies, which are.

A family is a template with slots; two of its pages are a pair that must stay apart. Editions of a story are typical edits of
wire copy: shortened, corrected, put into another house style, continued.
"""

# ruff: noqa: ISC004  # long texts, in lines

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from benchmarks.families import FAMILIES, Family

PAGES = 4
"""Pages per family."""


@dataclass(frozen=True)
class Sample:
    name: str
    title: str
    text: str


def template_pairs() -> list[tuple[Sample, Sample]]:
    """Return all pairs of pages within each family."""
    return [pair for family in FAMILIES for pair in combinations(pages_of(family), 2)]


def edited_pairs() -> list[tuple[Sample, Sample]]:
    """Return each story paired with each of its editions."""
    return [
        (Sample(f"{name}-wire", title, text), Sample(f"{name}-{how}", title, edition))
        for name, (title, text) in STORIES.items()
        for how, edition in _editions(text)
    ]


def pages_of(family: Family) -> list[Sample]:
    """Return the pages of a family, no two with the same values in all slots."""
    chance = random.Random(family.name)
    decks = {name: _deck(chance, words.split("|")) for name, words in family.words.items()}
    decks["story"] = iter(family.stories)
    return [_page(family, number, chance, decks) for number in range(PAGES)]


def _deck(chance: random.Random, words: list[str]) -> Iterator[str]:
    while True:
        yield from chance.sample(words, len(words))


def _page(family: Family, number: int, chance: random.Random, decks: Mapping[str, Iterator[str]]) -> Sample:
    chosen: dict[str, str] = {}
    parts = []
    for part in (family.title, family.text):
        pieces = part.split("{")
        made = pieces[0]
        for piece in pieces[1:]:
            slot, _, rest = piece.partition("}")
            if slot not in chosen:
                chosen[slot] = _filling(slot, chance, decks)
            made += chosen[slot] + rest
        parts.append(made)
    return Sample(f"{family.name}-{number}", parts[0], parts[1])


def _filling(slot: str, chance: random.Random, decks: Mapping[str, Iterator[str]]) -> str:
    if slot.startswith("#"):
        low, _, high = slot[1:].split("/", maxsplit=1)[0].partition("-")
        return str(chance.randint(int(low), int(high)))
    return next(decks[slot.rstrip("0123456789")])


def _editions(text: str) -> Iterator[tuple[str, str]]:
    paragraphs = text.split("\n")
    yield "cut", "\n".join(paragraphs[:-1])
    yield "continued", f"{text}\n{_MORE}"
    yield "corrected", text.replace(*_CORRECTIONS.get(text[:12], (paragraphs[0][-9:], paragraphs[0][-9:] + "!")))
    yield "house-style", _restyled(text)
    yield "reordered", "\n".join([paragraphs[0], *paragraphs[2:], paragraphs[1]])
    yield "credited", f"SKARV (Wire) - {text}\nReporting by our correspondents"


_MORE = (
    "In a statement late in the evening the ministry said that it took the findings seriously and would answer each of "
    "them in writing before the parliament meets again."
)
_CORRECTIONS: Mapping[str, tuple[str, str]] = {"The island's": ("41", "47"), "Die Werft in": ("320", "230")}
_STYLES = {
    " per cent": "%",
    "percent": "per cent",
    " said ": " told reporters ",
    "centre": "center",
    " although ": " though ",
}


def _restyled(text: str) -> str:
    for old, new in _STYLES.items():
        text = text.replace(old, new)
    return text


STORIES: Mapping[str, tuple[str, str]] = {
    "hospital": (
        "Hospital report finds gaps",
        "The island's only hospital sent home 41 patients last year who should have stayed another night, an inquiry has found.\n"
        "The panel, led by the former judge Helve Mets, read the files of two hundred people who were back within three days. In one "
        "case of five, it says, the bed was needed for somebody else, although the ward's own rules forbid that.\n"
        "Doctors had warned of the shortage in letters to the ministry, which answered none of them. Nurses told the panel that they "
        "were asked to note a patient's wish to leave when nobody had asked the patient.\n"
        "The hospital said that it accepted the findings and had opened nine beds in a ward that stood empty. The minister will answer "
        "questions in parliament on Thursday, and the opposition has asked for the files to be published without names.",
    ),
    "shipyard": (
        "Werft baut wieder Fähren",
        "Die Werft in der Nordbucht stellt nach vier Jahren wieder Schiffbauer ein und sucht dafür 320 Leute.\n"
        "Der neue Eigner, ein Reeder aus dem Süden, hat zwei Fähren für den Verkehr zwischen den Inseln bestellt und will sie noch vor "
        "dem übernächsten Winter in Fahrt bringen. Sie sollen mit Strom fahren und in der Nacht am Kai laden.\n"
        "Der Betriebsrat nannte die Nachricht einen Grund zum Feiern, mahnte aber, dass von den alten Zusagen die meisten nicht gehalten "
        "worden seien. Die Stadt gibt das Grundstück für einen symbolischen Betrag her und bekommt dafür den Platz für ein Museum.\n"
        "Kritik kam von den Fischern, die um ihre Liegeplätze fürchten, und von den Nachbarn, denen der Lärm früherer Jahre noch im Ohr ist.",
    ),
    "theatre": (
        "Le théâtre rouvre",
        "Le théâtre municipal a rouvert ses portes vendredi soir, sept ans après l'incendie qui avait détruit sa scène et son toit.\n"
        "Les artisans ont refait à l'identique les balcons de bois et le grand lustre, dont les plans avaient été retrouvés par hasard dans "
        "les papiers d'un notaire. Le chantier a coûté presque le double de ce qui avait été prévu.\n"
        "La maire a remercié les habitants, qui ont donné de quoi payer les fauteuils, et a promis que la moitié des places coûteraient moins "
        "qu'un repas. La troupe jouera d'abord la pièce qui était à l'affiche le soir du feu.\n"
        "Quelques voisins regrettent que la place ait perdu ses arbres, abattus pour laisser passer les grues. Douze seront replantés.",
    ),
    "ice": (
        "氷の道が開通",
        "島と本土を結ぶ氷の道が土曜日の朝、六年ぶりに開通した。長さは約十二キロで、車は時速二十五キロ以下か四十キロ以上で走らなければならない。\n"
        "道路局によると、氷の厚さは最も薄い場所でも二十四センチあり、三トンまでの車が通れる。シートベルトは締めてはならず、車の間隔は二百五十メートル以上と定められている。\n"
        "島の住民は冬の間、一日二便の船に頼ってきた。商店を営む女性は「新聞が朝のうちに届くのは何年ぶりだろう」と話した。\n"
        "気温が上がれば道は閉じられる。局は毎朝六時に厚さを測り、結果を両岸の掲示板に出すとしている。",
    ),
    "library": (
        "Library lends out silence",
        "A library in the old customs house lends out something that it cannot put on a shelf: an hour of quiet in a room without windows.\n"
        "Siiri Luik, who runs it, had the walls lined with felt that a hat maker left behind. Those who book the room leave their telephones in a "
        "drawer and get a key and an egg timer. The room has been taken on all but three days since it opened, she said in the centre of the hall.\n"
        "Students come before their exams, and a man of ninety reads the letters of his late wife there. About 60 per cent of the visitors had "
        "never held a card of the library before.\n"
        "The council wants to open a second one in the school, although the head fears that it will be used for naps. Luik sees no harm in those.",
    ),
}

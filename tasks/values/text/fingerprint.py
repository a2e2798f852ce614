"""All that decisions need of a text alone: made where the text is extracted, beside other pages', not one by one. Pure."""

import unicodedata
from dataclasses import dataclass

from tasks.values.text.digest import digest_of, tokenise_normal
from tasks.values.text.names import names_in
from tasks.values.text.script import script_of
from tasks.values.text.shape import Shape
from tasks.values.text.sketch import make_shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """A text's digest, shape (None for a short one) and script; a text without words is nobody's copy."""

    digest: str
    has_words: bool
    shape: Shape | None
    script: str


def fingerprint_of(text: str) -> Fingerprint:
    """Return the fingerprint of a text."""
    normal = unicodedata.normalize("NFKC", text)
    words = tokenise_normal(normal)
    return Fingerprint(
        digest=digest_of(words),
        has_words=bool(words),
        shape=make_shape(words, names_in(normal)),
        script=script_of(text),
    )

"""Detect notices in place of a story (paywall, consent, robot check), by shape and by what they ask for.

Pure. A notice is short and unrelated to the page's title. If the page declares itself paywalled, that is enough;
otherwise the notice must ask for something that only notices ask for.
"""

import re
from collections.abc import Iterable

from tasks.extract.metadata import Metadata
from tasks.extract.tree import words_in, words_of
from tasks.values.rows import PageType

# characters; a story's free beginning may be as short, but shares words with its title
_MAX_PAID, _MAX_NOTICE = 1500, 800
_STEM = 5  # letters that the forms of a word share, in most languages
_MIN_WORD = 4  # letters; shorter words are in every line
_PAIR = 2  # characters, in scripts without spaces
_COMMON = frozenset(
    "about after from have more over that their there they this what when where which will with your".split()
)


def _any_of(*words: str) -> re.Pattern[str]:
    return re.compile("|".join(words), re.IGNORECASE)


# the first match counts: a robot check asks for JavaScript and cookies as well
_ASKS = (
    (
        PageType.BLOCKED,
        _any_of(
            r"captcha", r"\bare (?:you )?(?:a )?(?:human|robot)", r"\bnot a (?:ro)?bot\b", r"you are human", r"unusual (?:traffic|activity)",
            r"automated (?:traffic|requests|access)", r"kein roboter", r"pas un robot", r"no (?:eres|es|soy) un robot", r"não (?:é|sou) um robô",
            r"non sei un robot", r"geen robot", r"не робот", r"ロボットではない", r"不是机器人", r"我不是機器人", r"로봇이 아닙",
        ),
    ),
    (
        PageType.NOTICE,
        _any_of(
            r"(?:enable|activate|turn on|requires?|without|needs?) javascript", r"javascript (?:is|must|muss|ist|est|está|é|deve|doit)\b",
            r"javascript.{0,30}(?:aktivier|activ[eaé]|habilit|attiva|ativ[ea]|inschakel|aktivera|aktiver|включ|увімкн|有効|启用|啟用|활성|etkinleştir|تفعيل|aktywn|włącz)",
            r"(?:aktivier|activ[eaé]|habilit|attiva|ativ[ea]|inschakel|aktivera|aktiver|включ|увімкн|启用|啟用|تفعيل|włącz)\w{0,4}.{0,30}javascript",
            r"ad[- ]?block", r"\b(?:in|from|for) your (?:country|region|location|territory|area)", r"in (?:ihrem|deinem|eurem) land",
            r"dans votre pays", r"en (?:su|tu) (?:país|región)", r"no seu país", r"nel tuo paese", r"in (?:uw|je|jouw) (?:land|regio)",
            r"i (?:ditt|dit) land", r"w twoim kraju", r"в вашей стране", r"в вашем регионе", r"お住まいの(?:国|地域)", r"您所在的(?:国家|地区|地區|國家)", r"해당 (?:국가|지역)", r"في بلدك", r"במדינתך",
            r"(?:verify|confirm|enter) your (?:age|date of birth)", r"you must be (?:at least )?(?:16|18|21)", r"are you (?:over )?(?:16|18|21)", r"bestätigen sie.{0,20}alter",
            r"avoir (?:au moins |plus de )?18 ans", r"mayor de (?:18|edad)", r"maior de (?:18|idade)", r"maggiorenne", r"18歳以上", r"年满18", r"年滿18", r"мне (?:есть|исполнилось) 18",
        ),
    ),
    (
        PageType.SOFT_404,
        _any_of(
            r"(?:is|are) (?:no longer|not) (?:available|online|accessible)", r"no longer exists?", r"(?:has|have) (?:been (?:removed|deleted|taken down|withdrawn)|expired)",
            r"nicht mehr (?:verfügbar|abrufbar|online|vorhanden)", r"n['’]est plus (?:disponible|en ligne|accessible)", r"a été (?:supprimé|retiré)", r"ya no (?:está disponible|existe)",
            r"não (?:está|existe) mais", r"já não está disponível", r"non è più (?:disponibile|online)", r"niet (?:langer|meer) beschikbaar", r"inte längre tillgänglig", r"ikke (?:længere|lenger) tilgængelig",
            r"ikke lenger tilgjengelig", r"ei ole enää saatavilla", r"nie jest już dostępn", r"již není (?:dostupn|k dispozici)", r"(?:больше|уже) не доступ", r"был[аои]? удален", r"больше недоступ",
            r"(?:公開|掲載)(?:期間|期限)?(?:は|が|を)?終了", r"削除され", r"已(?:被)?(?:删除|刪除|下架)", r"삭제된|삭제되었", r"لم (?:يعد|تعد) متاح", r"تم حذف", r"אינו זמין (?:עוד|יותר)", r"artık (?:mevcut|yayında) değil",
        ),
    ),
    (
        PageType.LOGIN,
        _any_of(
            r"\b(?:please |must |need to |or )(?:log|sign) ?in\b", r"\b(?:log|sign) in (?:to|or|with)\b", r"(?:create|have) an? (?:free )?account", r"bitte (?:melden sie sich|loggen|anmelden)",
            r"melde(?:n sie)? (?:dich|sich) an", r"connectez[- ]vous", r"inicia(?:r)? sesión", r"inicie sesión", r"(?:faça|fazer) (?:o )?login", r"accedi (?:per|o|con)", r"log in om", r"logga in för", r"logg inn for",
            r"log ind for", r"kirjaudu sisään", r"zaloguj się", r"přihlaste se", r"войдите|авторизуйтесь", r"увійдіть", r"giriş yap", r"ログイン(?:して|が必要)", r"请(?:先)?登录", r"請(?:先)?登入", r"로그인(?:이 필요|해|하)",
            r"سجل الدخول|تسجيل الدخول", r"יש להתחבר", r"เข้าสู่ระบบ", r"लॉग ?इन कर",
        ),
    ),
    (
        PageType.CONSENT,
        _any_of(r"\baccept (?:all )?(?:the )?cookies", r"cookies?.{0,200}(?:accept|agree|consent|akzept|zustimm|einwillig|accord|acept|aceit|accett|accepter|godkänn|zgod|souhlas|согла|同意)"),
    ),
    (
        PageType.PAYWALL,
        _any_of(
            r"\bsubscribe (?:now|today|to)\b", r"\b(?:our|for|to) (?:subscribers|members)\b", r"(?:unseren|für) abonnent", r"jetzt abonnieren", r"réservé aux abonné", r"abonnez[- ]vous", r"suscríbe(?:te|se)", r"(?:solo|exclusivo) para suscriptores",
            r"(?:exclusivo|apenas) para assinantes", r"assine (?:agora|já)", r"riservato agli abbonati", r"abbonati", r"(?:alleen|exclusief) voor abonnees", r"för prenumeranter", r"for abonnenter", r"только для подписчиков|оформите подписку",
            r"dla prenumeratorów|wykup (?:dostęp|prenumerat)", r"有料(?:会員|記事)", r"会員(?:限定|登録)", r"订阅(?:后|者)|訂閱", r"구독(?:자|하)", r"للمشتركين|اشترك", r"למנויים",
        ),
    ),
    (
        PageType.NOTICE,
        _any_of(
            r"(?:sign up|subscribe|register) (?:for|to) (?:our|the) (?:free |daily |weekly )*newsletter", r"(?:in|to) your inbox", r"newsletter (?:abonnieren|bestellen)", r"(?:abonnez|inscrivez)[- ]vous à (?:notre|la) newsletter",
            r"メールマガジン", r"подпишитесь на (?:нашу )?рассылку", r"iscriviti alla newsletter",
        ),
    ),
)  # fmt: skip


def notice_of(text: str, metadata: Metadata) -> PageType | None:
    """Return the type of a notice, or None for a story and for a title without significant words."""
    if len(text) > _MAX_PAID or not lacks_title_words(text, metadata):
        return None
    if metadata.paywalled is True:
        return PageType.PAYWALL
    if len(text) > _MAX_NOTICE:
        return None
    kinds = (kind for kind, asks in _ASKS if asks.search(text))
    return next((kind for kind in kinds if kind is not PageType.PAYWALL or metadata.paywalled is None), None)


def hides_story(text: str, body: str, metadata: Metadata) -> bool:
    """Whether the visible text is a notice and the hidden body is the story, judged by the title."""
    return len(text) <= _MAX_PAID and lacks_title_words(text, metadata) and not lacks_title_words(body, metadata)


def lacks_title_words(text: str, metadata: Metadata) -> bool:
    """Whether a text has no significant word of its page's title; False if the title has none."""
    titles = _stems(words_of(metadata.title or ""))
    return bool(titles) and titles.isdisjoint(_stems(words_in(text)))


def _stems(words: Iterable[str]) -> set[str]:
    """Return the stems of the longer words; in scripts without spaces, the character bigrams."""
    stems: set[str] = set()
    for word in words:
        if any(character > "\u2e80" for character in word):
            stems.update(word[at : at + _PAIR] for at in range(max(1, len(word) - 1)))
        elif len(word) >= _MIN_WORD and word not in _COMMON:
            stems.add(word[:_STEM])
    return stems

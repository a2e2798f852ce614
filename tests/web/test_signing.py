"""Signed requests, verified by an independent library, which is itself checked by the published vectors."""

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    algorithms,
)

from tasks.config.settings import Settings
from tasks.errors import ConfigError
from tasks.runtime.resources import web_config
from tasks.values.url import Url
from tasks.web.client import WebClient, WebConfig
from tasks.web.signing import DIRECTORY_PATH, AgentForm, Signer, read_signer, signed_fields
from tests.engine import Presslake
from tests.web.loopback import AGENT, LOOPBACK, page, serve

# RFC 9421, B.1.4, published for tests
PUBLISHED_D = "n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU"
PUBLISHED_X = "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs"
PUBLISHED_ID = "poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U"
BOT = "https://bot.presslake.example"
URL = Url("https://gazette.example/news/1?page=2")


@dataclass
class Message:
    url: str
    headers: dict[str, str]
    method: str = "GET"


@dataclass
class Keys(HTTPSignatureKeyResolver):
    public: Ed25519PublicKey
    asked: list[str] = field(default_factory=list)

    def resolve_public_key(self, key_id):
        self.asked.append(key_id)
        return self.public


def octets(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def pem(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def verify(message, public, **more):
    keys = Keys(public)
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=keys)
    [result] = verifier.verify(message, expect_tag="web-bot-auth", **more)
    return result, keys.asked


@pytest.fixture
def signer():
    return Signer(key=Ed25519PrivateKey.generate(), agent=BOT)


def signed(signer, *, url=URL, ago=timedelta(0), method="GET"):
    fields = signed_fields(signer, url, method=method, now=datetime.now(UTC) - ago, nonce="bm9uY2U=")
    return Message(url=str(url), headers=dict(fields), method=method)


def test_the_verifier_verifies_the_published_vector():
    message = Message(
        url="https://example.com/",
        headers={
            "Signature-Agent": 'agent2="https://signature-agent.test"',
            "Signature-Input": 'sig2=("@authority" "signature-agent";key="agent2");created=1735689600;'
            f'keyid="{PUBLISHED_ID}";alg="ed25519";expires=4889289600;'
            'nonce="n9p433xm+NJ3ph3upfBIGmsuwHw387YV7Q/F+6BSpGCVjYCqQw6rznNA8PVVLySrAWsv0hQtFioQb6E1YsauiA==";'
            'tag="web-bot-auth"',
            "Signature": "sig2=:RdNFx5Bj6au3YgAMQL/RzmUlZE8QZLIaXGRpw985hWnwPfMxT228NMk6ehRS1PSl4e8PhbNZACSanGdhEwYCCg==:",
        },
    )

    _, asked = verify(message, Ed25519PublicKey.from_public_bytes(octets(PUBLISHED_X)), max_age=timedelta(days=40_000))

    assert asked == [PUBLISHED_ID]


@pytest.mark.parametrize("form", AgentForm)
def test_an_independent_library_verifies_what_is_signed(signer, form):
    signer = Signer(key=signer.key, agent=BOT, form=form)
    component = '"signature-agent"' if form is AgentForm.STRING else '"signature-agent";key="sig1"'

    result, asked = verify(
        signed(signer), signer.key.public_key(), require_components=("@authority", "@method", "@path")
    )

    assert asked == [signer.key_id]
    assert set(result.parameters) == {"created", "expires", "keyid", "alg", "nonce", "tag"}
    assert component in result.covered_components


def test_the_key_has_its_published_thumbprint():
    known = Signer(key=Ed25519PrivateKey.from_private_bytes(octets(PUBLISHED_D)), agent=BOT)

    assert known.key_id == PUBLISHED_ID
    [jwk] = known.directory()["keys"]
    assert (jwk["x"], "d" in jwk) == (PUBLISHED_X, False)


@pytest.mark.parametrize(
    "change",
    [
        {"url": "https://gazette.example/news/2"},
        {"url": "https://other.example/news/1?page=2"},
        {"method": "POST"},
        {"agent": 'sig1="https://evil.example"'},
    ],
    ids=["path", "authority", "method", "agent"],
)
def test_a_changed_request_is_not_verified(signer, change):
    message = signed(signer)
    message.url, message.method = change.get("url", message.url), change.get("method", message.method)
    message.headers["Signature-Agent"] = change.get("agent", message.headers["Signature-Agent"])

    with pytest.raises(HTTPMessageSignaturesException):
        verify(message, signer.key.public_key())


@pytest.mark.parametrize("ago", [timedelta(minutes=2), timedelta(minutes=-10)], ids=["expired", "in the future"])
def test_a_signature_is_valid_for_a_minute(signer, ago):
    with pytest.raises(HTTPMessageSignaturesException):
        verify(signed(signer, ago=ago), signer.key.public_key())


def test_each_request_has_a_nonce_of_its_own(signer):
    first, second = dict(signer.fields(URL)), dict(signer.fields(URL))

    assert first["Signature-Input"] != second["Signature-Input"]


def test_the_agent_form_says_where_the_keys_are(signer):
    said = {
        form: dict(Signer(key=signer.key, agent=BOT, form=form).fields(URL))["Signature-Agent"] for form in AgentForm
    }

    assert said == {"origin": f'sig1="{BOT}"', "url": f'sig1="{BOT}{DIRECTORY_PATH}"', "string": f'"{BOT}"'}


async def test_nothing_is_signed_over_plain_http(signer):
    config = WebConfig(user_agent=AGENT, signer=signer)
    async with serve({"/a": page(b"<p>")}) as server, WebClient(config, guard=LOOPBACK) as client:
        await client.get(server.url("/a"))

    assert "signature" not in server.asked[0].headers
    assert signer.fields(Url(server.url("/a"))) == ()


@pytest.fixture
def key_file(tmp_path, signer):
    path = tmp_path / "bot.pem"
    path.write_bytes(pem(signer.key))
    path.chmod(0o600)
    return path


def test_a_key_is_read_from_its_file_and_shown_nowhere(key_file, signer, tmp_path):
    config = web_config(Settings(signing_key=key_file, signature_agent=f"{BOT}/"))
    command = Presslake(
        tmp_path, {"PRESSLAKE_SIGNING_KEY": str(key_file), "PRESSLAKE_SIGNATURE_AGENT": BOT, "PRESSLAKE_CATALOGUE": "x"}
    )

    printed = command.run("identity", "--directory")
    shown = command.run("settings")

    secret = next(line for line in key_file.read_text().splitlines() if not line.startswith("-"))
    raw = signer.key.private_bytes_raw()
    assert (config.signer.key_id, config.signer.agent) == (signer.key_id, BOT)
    assert printed.json()["keys"][0]["kid"] == signer.key_id
    for text in (repr(config), printed.out + printed.err, shown.out + shown.err):
        assert secret not in text
        assert repr(raw)[2:-1] not in text
        assert base64.urlsafe_b64encode(raw).decode().rstrip("=") not in text


@pytest.mark.parametrize(
    ("body", "mode", "why"),
    [
        (b"no key", 0o600, "not an Ed25519 private key"),
        (pem(Ed25519PrivateKey.from_private_bytes(octets(PUBLISHED_D))), 0o600, "RFC 9421"),
        (pem(Ed25519PrivateKey.generate()), 0o644, "readable by other users"),
    ],
    ids=["no key", "published", "open"],
)
def test_a_key_that_cannot_be_used_is_refused_in_one_line(tmp_path, body, mode, why):
    path = tmp_path / "bot.pem"
    path.write_bytes(body)
    path.chmod(mode)

    with pytest.raises(ConfigError, match=why) as error:
        read_signer(path, BOT, AgentForm.ORIGIN)
    assert "PRIVATE" not in str(error.value)


def test_a_key_needs_the_address_of_its_public_part(key_file):
    with pytest.raises(ConfigError, match="PRESSLAKE_SIGNATURE_AGENT"):
        web_config(Settings(signing_key=key_file))

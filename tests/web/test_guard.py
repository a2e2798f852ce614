"""The guard's verdicts, address by address."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import ConfigError
from tasks.web.guard import AddressGuard

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "93.184.216.34",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.1",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.1",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2606:4700:4700::1111",
    "2a00:1450:4001:80b::200e",
    "3ffe:ffff::1",
    "::ffff:8.8.8.8",
    "::ffff:808:808",
    "64:ff9b::8.8.8.8",
    "2002:808:808::1",
    "2001:0:808:808::f7f7:f7f7",  # Teredo: both server and client are 8.8.8.8
]

NOT_PUBLIC = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.1.2.3",
    "169.254.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.170",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.168.255.255",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::127.0.0.1",
    "::ffff:0:127.0.0.1",
    "100::1",
    "100:0:0:1::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700:4700::1111%1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "3fff::1",
    "3fff:fff::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:a9fe:a9fe",
    "::ffff:0.0.0.0",
    "64:ff9b::127.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "64:ff9b:1::10.0.0.1",
    "64:ff9b:1::8.8.8.8",
    "64:ff9b:1:a00:0:100::",
    "2002:7f00:1::1",
    "2002:a00:1::1",
    "2002:c0a8:101::1",
    "2002:a9fe:a9fe::1",
    "2001:0:808:808::80ff:fffe",  # Teredo: the client is 127.0.0.1
    "2001:0:808:808::f5ff:fffe",  # Teredo: the client is 10.0.0.1
    "2001:0:7f00:1::f7f7:f7f7",  # Teredo: the server is 127.0.0.1
]

NO_ADDRESS = ["", "localhost", "example.com", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "8.8.8.8:80", "[::1]"]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_unicast_is_permitted(address):
    assert AddressGuard().permits(address)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_everything_else_is_refused(address):
    assert not AddressGuard().permits(address)


@pytest.mark.parametrize("text", NO_ADDRESS)
def test_a_text_that_is_no_literal_address_is_refused(text):
    assert not AddressGuard().permits(text)


@pytest.mark.parametrize(
    ("networks", "address", "permitted"),
    [
        (("127.0.0.0/8",), "127.0.0.1", True),
        (("127.0.0.0/8",), "::ffff:127.0.0.1", True),
        (("127.0.0.0/8",), "::1", False),
        (("127.0.0.0/8",), "10.0.0.1", False),
        (("127.0.0.0/8",), "64:ff9b::127.0.0.1", False),
        (("127.0.0.0/8",), "2002:7f00:1::1", False),
        (("127.0.0.0/8",), "8.8.8.8", True),
        (("10.1.0.0/16", "fd00::/8"), "10.1.2.3", True),
        (("10.1.0.0/16", "fd00::/8"), "10.2.0.1", False),
        (("10.1.0.0/16", "fd00::/8"), "fd00::7", True),
        (("10.1.2.3/8",), "10.200.0.1", True),
        (("64:ff9b:1::/48",), "64:ff9b:1::8.8.8.8", True),
        (("fe80::/10",), "fe80::1%eth0", False),
    ],
)
def test_only_allowed_networks_are_let_through(networks, address, permitted):
    assert AddressGuard(networks).permits(address) is permitted


@pytest.mark.parametrize("cidr", ["10.0.0.0/33", "intranet", ""])
def test_an_invalid_network_is_a_configuration_error(cidr):
    with pytest.raises(ConfigError, match="allow_networks"):
        AddressGuard((cidr,))


@given(st.integers(0, 2**32 - 1).map(IPv4Address))
def test_an_ipv4_address_embedded_in_ipv6_gets_its_own_verdict(inner):
    plain = AddressGuard().permits(str(inner))
    mapped = IPv6Address((0xFFFF << 32) | int(inner))
    translated = IPv6Address((0x64FF9B << 96) | int(inner))
    six_to_four = IPv6Address((0x2002 << 112) | (int(inner) << 80) | 1)

    verdicts = [AddressGuard().permits(str(form)) for form in (mapped, translated, six_to_four)]

    assert verdicts == [plain] * 3

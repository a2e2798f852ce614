"""One address under many names: limits of concurrent requests, and of requests per second."""

import pytest

from tasks.web.addresses import AddressGate, AddressLimits


class Time:
    now_s = 100.0

    def __call__(self):
        return self.now_s


def gate(time, most=3, **limits):
    return AddressGate(AddressLimits(most=most, **limits), now_s=time)


def test_requests_at_one_address_are_spaced():
    time = Time()
    one = gate(time)

    assert one.try_enter("192.0.2.1") == 0
    assert one.try_enter("192.0.2.1") == pytest.approx(0.05)
    assert one.try_enter("192.0.2.2") == 0
    time.now_s += 0.05
    assert one.try_enter("192.0.2.1") == 0


def test_requests_at_one_address_are_limited_in_number():
    time = Time()
    one = gate(time)
    for _ in range(3):
        assert one.try_enter("192.0.2.1") == 0
        time.now_s += 1

    refused = one.try_enter("192.0.2.1")
    one.leave("192.0.2.1")

    assert refused > 0
    assert one.try_enter("192.0.2.1") == 0


@pytest.mark.parametrize("address", ["104.16.1.1", "2606:4700::1", "203.0.113.9"])
def test_shared_networks_are_exempt(address):
    one = gate(Time(), most=1, shared_networks=("104.16.0.0/13", "2606:4700::/32", "203.0.113.0/24"))

    assert [one.try_enter(address) for _ in range(50)] == [0] * 50
    one.leave(address)


async def test_waiting_requests_get_their_turn():
    one = AddressGate(AddressLimits(a_second=200.0))

    waited_s = [await one.enter("192.0.2.1") for _ in range(5)]

    assert waited_s[0] < waited_s[-1] + 1  # bounded waits

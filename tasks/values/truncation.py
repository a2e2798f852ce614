"""What a capture says of a page that was taken though its body ended before its end. Pure."""

_TRUNCATED = "truncated: "


def truncated_detail(missing: str) -> str:
    """Return the detail of its capture; `missing` says how much came: `5 of 7 bytes`."""
    return f"{_TRUNCATED}{missing}"


def is_truncated(detail: str | None) -> bool:
    """Whether a capture with this detail is of such a page."""
    return detail is not None and detail.startswith(_TRUNCATED)

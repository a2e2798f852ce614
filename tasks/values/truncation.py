"""The capture's detail for a page that was accepted although its body was truncated. Pure."""

_TRUNCATED = "truncated: "


def truncated_detail(missing: str) -> str:
    """Return the detail of a truncated page's capture; `missing` says how much was received: `5 of 7 bytes`."""
    return f"{_TRUNCATED}{missing}"


def is_truncated(detail: str | None) -> bool:
    """Whether a capture's detail says that its page was truncated."""
    return detail is not None and detail.startswith(_TRUNCATED)

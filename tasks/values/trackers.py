"""Tracking parameters, AMP caches and redirectors in URLs. Pure."""

import re
from functools import lru_cache

_TRACKER_NAMES = """
    fbclid fb_action_ids fb_action_types fb_ref fb_source mibextid igsh igshid
    gclid gclsrc dclid gbraid wbraid srsltid _ga _gl ga_source ga_medium ga_campaign ga_term ga_content
    amp_js_v amp_gsa usqp
    msclkid twclid ttclid li_fat_id epik rdt_cid yclid ysclid _openstat ScCid __twitter_impression ref_src
    guccounter guce_referrer guce_referrer_sig soc_src soc_trk
    mc_cid mc_eid mkt_tok _hsenc _hsmi __hssc __hstc __hsfp hsCtaTracking vero_id vero_conv wickedid
    oly_anon_id oly_enc_id rb_clickid ml_subscriber ml_subscriber_hash _kx _ke nr_email_referer
    pk_campaign pk_kwd pk_keyword pk_source pk_medium pk_content pk_cid
    mtm_campaign mtm_keyword mtm_source mtm_medium mtm_content mtm_cid mtm_group mtm_placement
    at_medium at_campaign at_campaign_type at_custom1 at_custom2 at_custom3 at_custom4 at_format at_link_id
    at_link_origin at_link_type at_ptr_name at_bbc_team xtor
    ns_mchannel ns_source ns_campaign ns_linkname ns_fee ocid cmpid CMP ICID WT.mc_id wt_mc s_cid ftcamp
"""
TRACKERS = frozenset(_TRACKER_NAMES.split())
"""Parameters that track visits and never identify a page. Exact names; the `utm_` family is handled separately."""

WIDGET_CLICKS = frozenset({"dicbo", "tblci"})
"""Click ids of recommendation widgets: not part of the key, but kept in requests, since archives need the whole URL."""

_QUERY_SESSION = re.compile(r"(?:jsessionid|phpsessid|aspsessionid[a-z]*)", re.IGNORECASE)

GOOGLE = re.compile(r"(?:www\.)?google\.(?:com?\.)?[a-z]{2,3}")
AMP_CACHE = re.compile(r"(?:[a-z0-9-]+\.)?(?:cdn\.ampproject\.org|bing-amp\.com)")
AMP_CACHE_PATH = re.compile(r"/[acv]/(s/)?(.+)")
GOOGLE_AMP_PATH = re.compile(r"/amp/(s/)?(.+)")

# host, path, the parameters that may hold the target URL
WRAPPERS: tuple[tuple[re.Pattern[str], re.Pattern[str], tuple[str, ...]], ...] = tuple(
    (re.compile(host), re.compile(path), names)
    for host, path, names in (
        (GOOGLE.pattern, r"/url", ("q", "url")),
        (r"(?:l|lm|www|m)\.facebook\.com", r"/l\.php", ("u",)),
        (r"l\.(?:instagram|messenger|threads)\.com|l\.threads\.net", r"/", ("u",)),
        (r"out\.reddit\.com", r"/.*", ("url",)),
        (r"(?:www\.)?youtube\.com", r"/redirect", ("q",)),
        (r"t\.umblr\.com", r"/redirect", ("z",)),
        (r"(?:www\.)?bing\.com", r"/news/apiclick\.aspx", ("url",)),
        (r"duckduckgo\.com", r"/l/", ("uddg",)),
        (r"(?:m\.)?vk\.com", r"/away\.php", ("to",)),
        (r"slack-redir\.net", r"/link", ("url",)),
        (r"[a-z0-9]+\.safelinks\.protection\.outlook\.com", r"/", ("url",)),
    )
)


def is_no_tracker(name: str) -> bool:
    """Whether a parameter is not a tracker's."""
    return name not in TRACKERS and not name.lower().startswith("utm_")


def is_no_session(name: str) -> bool:
    """Whether a parameter is neither a session id nor a click id."""
    return name not in WIDGET_CLICKS and not _QUERY_SESSION.fullmatch(name)


@lru_cache(maxsize=65_536)
def may_wrap(host: str) -> bool:
    """Whether a host is an AMP cache or a redirector."""
    patterns = (AMP_CACHE, GOOGLE, *(pattern for pattern, _, _ in WRAPPERS))
    return any(pattern.fullmatch(host) for pattern in patterns)

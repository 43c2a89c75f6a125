"""Search attributes: what an operator can list escalations by.

They are the one part of a workflow that Temporal keeps unencrypted and indexed, so nothing here is
personal: a caller appears as a keyed digest of the number, never as the number.
"""

from temporalio.common import SearchAttributeKey

STATE = SearchAttributeKey.for_keyword("RungState")
LINE = SearchAttributeKey.for_keyword("RungLine")
SEVERITY = SearchAttributeKey.for_keyword("RungSeverity")
RESPONDERS = SearchAttributeKey.for_keyword_list("RungResponders")
CALLER = SearchAttributeKey.for_keyword("RungCaller")
"""A keyed digest of the caller's number: equal for two calls of one person, readable by nobody."""

SEARCH_ATTRIBUTES = (STATE, LINE, SEVERITY, RESPONDERS, CALLER)
"""Every attribute a cluster must know before the first workflow starts."""

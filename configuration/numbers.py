"""Telephone numbers: their E.164 form, those never to be dialled, and how they are shown to others.

The numbering plans are those of the `phonenumbers` library; nothing is asked over the network.
"""

import re

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType
from phonenumbers import shortnumberinfo as short_numbers

KNOWN_EVERYWHERE = {"112", "911", "999"}  # refused even where they lead nowhere: they are nobody's telephone


def in_e164(text: str, country: str) -> str | None:
    """The E.164 form of a number as people write it in that country, or None where there is none."""
    try:
        number = phonenumbers.parse(text, country)
    except NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def is_emergency(text: str, country: str) -> bool:
    """Whether this reaches the emergency services, dialled in that country or by its own country code."""
    digits = re.sub(r"[^0-9]", "", text)
    if not text.strip().startswith("+"):
        return digits in KNOWN_EVERYWHERE or leads_to_help(digits, country)
    try:
        number = phonenumbers.parse(text, country)
    except NumberParseException:
        return False
    national = phonenumbers.national_significant_number(number)
    regions = phonenumbers.region_codes_for_country_code(number.country_code or 0)
    return any(short_numbers.is_emergency_number(national, region) for region in regions)


def leads_to_help(digits: str, country: str) -> bool:
    """Whether these digits, dialled in that country, reach its emergency services."""
    return short_numbers.is_emergency_number(digits, country)


def never_dialled(text: str, country: str) -> str | None:
    """Why Rung never dials this number, or None where it may."""
    if is_emergency(text, country):
        return "an emergency number"
    number = text if text.startswith("+") else in_e164(text, country)
    return "a premium-rate number" if number and is_premium(number) else None


def is_premium(number: str) -> bool:
    """Whether a number in E.164 form is paid for by the one who rings it."""
    try:
        return phonenumbers.number_type(phonenumbers.parse(number, None)) == PhoneNumberType.PREMIUM_RATE
    except NumberParseException:
        return False


def is_known(number: str) -> bool:
    """Whether the numbering plan has a range for a number in E.164 form."""
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, None))
    except NumberParseException:
        return False


def emergency_numbers(country: str) -> tuple[str, ...]:
    """The best known emergency numbers that lead somewhere in that country."""
    usual = ("911", "112", "999", "000", "111", "110", "119", "113", "118", "190")
    return tuple(number for number in usual if leads_to_help(number, country))


def country_of(number: str, otherwise: str) -> str:
    """The country a number in E.164 form belongs to."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number, None)) or otherwise
    except NumberParseException:
        return otherwise


def masked(number: str) -> str:
    """The number with all but its last four digits hidden."""
    return f"•••{number[-4:]}"


def masked_within(text: str) -> str:
    """The text with every telephone number in it masked; dates stay."""
    return re.sub(r"\+?\d[\d ().-]{5,}\d", _masked_unless_date, text)


def _masked_unless_date(found: re.Match[str]) -> str:
    is_date = re.match(r"\d{4}-\d{2}-\d{2}", found[0])
    return found[0] if is_date else masked(re.sub(r"\D", "", found[0]))

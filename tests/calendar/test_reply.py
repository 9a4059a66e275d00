"""An answer is read from whatever a calendar program mails, and nothing else is taken for one."""

import base64
import random
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from eventreg.calendar import reply
from eventreg.calendar.letter import LARGEST
from eventreg.calendar.reply import (
    NoCalendarPart,
    NotAnAnswer,
    NotReadable,
    OtherMethod,
    Reply,
    TooLarge,
    UnusableCalendar,
    WrittenByAProgram,
)
from tests.support.replies import NAMES, bare, calendar, mailed, mutated, words

STAMP = datetime(2026, 10, 6, 16, 0, tzinfo=UTC)
TOKEN = "abcdefghijklmnopqrstuvwxyz"
PLUS = f"rsvp+{TOKEN}@example.org"
IDS = {
    "gmail": "google.com",
    "exchange": "BN8PR01MB5555.prod.exchangelabs.com",
    "apple": "icloud.com",
    "thunderbird": "example.org",
    "file_only": "phone.example",
}


def answer(**given) -> Reply:
    values = {
        "uid": "5f0c1f0e@events.example.org",
        "attendee": "amira@example.org",
        "rsvp": "no",
        "sequence": 0,
        "stamp_at": STAMP,
        "comment": "",
        "senders": ("amira@example.org",),
        "tokens": (),
        "message_id": "<bare@example.org>",
    }
    return Reply(**values | given)


@pytest.mark.parametrize("shape", NAMES)
@pytest.mark.parametrize(("partstat", "rsvp"), [("ACCEPTED", "yes"), ("DECLINED", "no"), ("TENTATIVE", "maybe")])
def test_answer_of_a_calendar_program_is_read_whole(shape, partstat, rsvp) -> None:
    mail = mailed(shape, to=PLUS, partstat=partstat, sequence=3)
    assert reply.read(mail) == answer(
        rsvp=rsvp,
        sequence=3,
        tokens=(TOKEN,),
        comment="Sorry, I am away that week." if shape in {"exchange", "file_only"} else "",
        message_id=f"<c7a1@{IDS[shape]}>",
    )


@pytest.mark.parametrize("shape", NAMES)
def test_line_ends_without_carriage_return_cost_no_answer(shape) -> None:
    assert reply.read(mailed(shape).replace(b"\r\n", b"\n")).rsvp == "no"


def test_recipients_are_believed_in_the_order_of_delivery() -> None:
    headers = f"Delivered-To: rsvp+{'B' * 26}@example.org\nX-Original-To: x+{'C' * 26}@example.org\nCc: {PLUS}\n"
    assert reply.read(bare(calendar(), headers=headers)).tokens == ("b" * 26, "c" * 26, TOKEN)


@pytest.mark.parametrize(
    ("changed", "became"),
    [
        ({"SEQUENCE": None}, {"sequence": 0}),
        ({"DTSTAMP": None}, {"stamp_at": None}),
        ({"DTSTAMP": "DTSTAMP:yesterday"}, {"stamp_at": None}),
        ({"DTSTAMP": "DTSTAMP:20269999T160000Z"}, {"stamp_at": None}),
        ({"DTSTAMP": "DTSTAMP;TZID=America/New_York:20261006T120000"}, {}),
        ({"DTSTAMP": "DTSTAMP;TZID=Eastern Standard Time:20261006T120000"}, {}),
        ({"DTSTAMP": "DTSTAMP;TZID=Nobody's Time:20261006T160000"}, {}),
        ({"DTSTAMP": "DTSTAMP:20161231T235960Z"}, {"stamp_at": datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)}),
        ({"DTSTAMP": "DTSTAMP:00010101T000000Z"}, {"stamp_at": datetime(1970, 1, 1, tzinfo=UTC)}),
        ({"DTSTAMP": "DTSTAMP:99991231T235959Z"}, {"stamp_at": datetime(2200, 1, 1, tzinfo=UTC)}),
        ({"DTSTAMP": "DTSTAMP;TZID=America/New_York:99991231T235959"}, {"stamp_at": datetime(2200, 1, 1, tzinfo=UTC)}),
        ({"UID": "UID:5f0c1f0e@events.\n example.org"}, {}),
        ({"UID": "UID:a\\,b\\;c\\\\d@example.org"}, {"uid": "a,b;c\\d@example.org"}),
        ({"ATTENDEE": "attendee;Partstat=declined:MAILTO:Amira@Example.org"}, {}),
        ({"ATTENDEE": "ATTENDEE;PARTSTAT=DECLINED:amira@example.org"}, {}),
        ({"ATTENDEE": 'ATTENDEE;CN="A; B: C";PARTSTAT="DECLINED":mailto:amira@example.org'}, {}),
        ({"ATTENDEE": "ATTENDEE;PARTSTAT=DECLINED:mailto:amira%40example.org"}, {}),
        ({"ATTENDEE": "ATTENDEE;PARTSTAT=DECLINED:mailto:amira@example.org?x"}, {}),
        ({"ATTENDEE": "ATTENDEE;PARTSTAT=DECLINED:mailto:<amira@example.org>"}, {}),
        ({"ATTENDEE": 'ATTENDEE;PARTSTAT=DECLINED:"mailto:amira@example.org"'}, {}),
        ({"ATTENDEE": 'ATTENDEE;EMAIL="amira@example.org";PARTSTAT=DECLINED:urn:uuid:1'}, {}),
        ({"ATTENDEE": "ATTENDEE;EMAIL=amira@example.org;PARTSTAT=DECLINED:/x@y/principal/"}, {}),
        ({"ATTENDEE": "ATTENDEE;EMAIL=x@y;PARTSTAT=DECLINED:mailto:amira@example.org"}, {}),
        ({"NEXT": "X-LONG:" + "x" * 20_000}, {}),
        ({"NEXT": "no property at all"}, {}),
        ({"NEXT": "RECURRENCE-ID:20261019T190000Z"}, {}),
        ({"NEXT": "COMMENT:a\\, b\\nc\\\\d\x07"}, {"comment": "a, b\nc\\d"}),
        ({"NEXT": "COMMENT:" + "x" * 3000}, {"comment": "x" * 1000}),
    ],
)
def test_what_programs_write_otherwise_is_read_all_the_same(changed, became) -> None:
    assert reply.read(bare(calendar(**changed))) == answer(**became)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ({"UID": None}, "its calendar part does not name one event"),
        ({"UID": "UID:" + "x" * 300}, "its calendar part does not name one event"),
        ({"ATTENDEE": None}, "it answers for no people, not for one"),
        ({"NEXT": "ATTENDEE;PARTSTAT=ACCEPTED:mailto:sam@example.org"}, "it answers for 2 people, not for one"),
        ({"NEXT": "ATTENDEE;PARTSTAT=ACCEPTED:mailto:amira@example.org"}, "it gives two answers at once"),
        ({"ATTENDEE": "ATTENDEE:mailto:a@b.c"}, "it answers nothing, which is neither yes, no nor maybe"),
        (
            {"ATTENDEE": "ATTENDEE;PARTSTAT=DELEGATED:mailto:a@b.c"},
            "it answers DELEGATED, which is neither yes, no nor maybe",
        ),
        (
            {"ATTENDEE": "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:a@b.c"},
            "it answers NEEDS-ACTION, which is neither yes, no nor maybe",
        ),
        ({"SEQUENCE": "SEQUENCE:-1"}, "its SEQUENCE is no number"),
        ({"SEQUENCE": "SEQUENCE:٣"}, "its SEQUENCE is no number"),
        ({"SEQUENCE": "SEQUENCE:9999999999"}, "its SEQUENCE is no number that was ever sent"),
    ],
)
def test_reply_that_says_nothing_definite_is_named(lines, reason) -> None:
    with pytest.raises(UnusableCalendar) as refused:
        reply.read(bare(calendar(**lines)))
    assert str(refused.value) == reason


def several(*bodies: str) -> str:
    return "BEGIN:VCALENDAR\nMETHOD:REPLY\n" + "".join(f"BEGIN:VEVENT\n{one}\nEND:VEVENT\n" for one in bodies)


def one(sequence: int, partstat: str, *more: str, uid: str = "u") -> str:
    return "\n".join([f"UID:{uid}", f"SEQUENCE:{sequence}", f"ATTENDEE;PARTSTAT={partstat}:mailto:a@b.c", *more])


def test_of_several_entries_the_whole_event_speaks_then_the_newest() -> None:
    date = "RECURRENCE-ID:20261019T190000Z"
    text = several(one(1, "ACCEPTED"), one(2, "TENTATIVE"), one(3, "DECLINED", date))
    assert (reply.read(bare(text)).rsvp, reply.read(bare(text)).sequence) == ("maybe", 2)


def test_too_many_entries_or_two_events_are_no_answer() -> None:
    with pytest.raises(UnusableCalendar, match="holds 11 events"):
        reply.read(bare(several(*[one(0, "ACCEPTED")] * 11)))
    with pytest.raises(UnusableCalendar, match="does not name one event"):
        reply.read(bare(several(one(0, "ACCEPTED"), one(0, "ACCEPTED", uid="v"))))
    with pytest.raises(UnusableCalendar, match="holds no event"):
        reply.read(bare("BEGIN:VCALENDAR\nMETHOD:REPLY\nBEGIN:VTODO\nUID:u\nEND:VTODO\nEND:VCALENDAR\n"))


@pytest.mark.parametrize("method", ["COUNTER", "REFRESH", "REQUEST", "CANCEL"])
def test_other_methods_are_told_apart_whatever_mime_says(method) -> None:
    with pytest.raises(OtherMethod) as refused:
        reply.read(bare(calendar(method=method)))
    assert refused.value.method == method


def test_object_without_a_method_takes_it_from_mime() -> None:
    assert reply.read(bare(calendar().replace("METHOD:REPLY\n", ""))).rsvp == "no"


def test_calendar_part_is_found_behind_others_and_before_files() -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Message-ID"] = "amira@example.org", PLUS, "<bare@example.org>"
    mail.set_content("words")
    mail.add_attachment(
        calendar(ATTENDEE="ATTENDEE;PARTSTAT=ACCEPTED:mailto:a@b.c").encode(),
        maintype="application",
        subtype="ics",
        filename="x.ics",
    )
    mail.add_attachment(calendar(method="REQUEST"), subtype="calendar", params={"method": "REQUEST"})
    mail.add_attachment(calendar(), subtype="calendar", params={"method": "REPLY"}, cte="base64")
    assert reply.read(mail.as_bytes()) == answer(tokens=(TOKEN,))


def test_answer_inside_a_mail_that_was_passed_on_is_nobodys() -> None:
    outer = EmailMessage()
    outer["From"], outer["To"] = "sam@example.org", PLUS
    outer.set_content("look at this")
    inner = EmailMessage()
    inner["From"] = "amira@example.org"
    inner.set_content(calendar(), subtype="calendar", params={"method": "REPLY"})
    outer.add_attachment(inner)
    with pytest.raises(NoCalendarPart):
        reply.read(outer.as_bytes())


@pytest.mark.parametrize(
    "charset",
    ["utf-8", "utf-16", "iso-8859-1", "us-ascii", "no-such-charset", "base64", "idna", "punycode", "unicode_escape"],
)
def test_charset_that_is_wrong_or_unknown_costs_no_answer(charset) -> None:
    encoding = charset if charset in {"utf-16", "iso-8859-1"} else "utf-8"
    text = calendar("SUMMARY:café").replace("\n", "\r\n").encode(encoding)
    mail = (
        "From: amira@example.org\r\nMessage-ID: <bare@example.org>\r\nMIME-Version: 1.0\r\n"
        f'Content-Type: text/calendar; method=REPLY; charset="{charset}"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    ).encode() + base64.encodebytes(text)
    assert reply.read(mail) == answer()


@pytest.mark.parametrize("parameter", ["charset=idna", "charset*=us-ascii'en'utf-8", "charset*0=ut; charset*1=f-8"])
def test_odd_charset_of_a_part_that_is_not_encoded_costs_no_answer(parameter) -> None:
    mail = bare(calendar("SUMMARY:café")).replace(b"charset=utf-8", parameter.encode())
    assert reply.read(mail) == answer()


def test_blank_behind_the_encoding_costs_no_answer() -> None:
    head, _empty, body = bare(calendar()).partition(b"\r\n\r\n")
    mail = head + b"\r\nContent-Transfer-Encoding: BASE64 \r\n\r\n" + base64.encodebytes(body)
    assert reply.read(mail) == answer()


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ("Auto-Submitted: auto-replied\n", WrittenByAProgram),
        ("Precedence: bulk\n", WrittenByAProgram),
        ("X-Autoreply: yes\n", WrittenByAProgram),
        ("Subject: =?utf-8?q?Automatische_Antwort=3A?= Weg\n", WrittenByAProgram),
        ("Auto-Submitted: no\n", NoCalendarPart),
        ("", NoCalendarPart),
    ],
)
def test_mail_without_a_calendar_is_a_programs_or_somebodys_words(headers, error) -> None:
    mail = (headers + "From: amira@example.org\n\nI am away.\n").encode()
    with pytest.raises(NoCalendarPart) as refused:
        reply.read(mail)
    assert type(refused.value) is error


def test_answer_that_a_program_sends_by_itself_is_an_answer() -> None:
    assert reply.read(bare(calendar(), headers="Auto-Submitted: auto-generated\n")).rsvp == "no"


def test_mail_that_is_too_large_or_none_is_named() -> None:
    with pytest.raises(TooLarge, match="262,145 bytes"):
        reply.read(words(to=PLUS).ljust(LARGEST + 1))
    assert reply.read(mailed().ljust(LARGEST)).rsvp == "no"
    for nothing in (b"", b"\x00\xff" * 100):
        with pytest.raises(NotReadable):
            reply.read(nothing)


def nested(depth: int) -> bytes:
    head = b"From: a@b.c\r\n"
    for level in range(depth):
        head += b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level)
    return head


@pytest.mark.parametrize(
    "hostile",
    [
        nested(4000),
        b"From: " + b"(" * 5000 + b"\r\nContent-Type: text/calendar\r\n\r\n",
        b"From: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\n" * 20_000,
        b"Content-Type: text/calendar; method*0*=a''%ff; method*1=b; charset*=x'y'%00\r\n\r\nBEGIN:VEVENT",
        b"From: =?utf-8?b?" + b"A" * 50_000 + b"?=\r\n" * 3 + b"\r\n",
        b"Content-Type: text/calendar; method=REPLY\r\n\r\nBEGIN:VEVENT\r\n" + b"A;B=" * 50_000,
        b"Content-Type: text/calendar; method=REPLY\r\n\r\nBEGIN:VEVENT\r\nA" + b';B="' * 50_000,
        b"Content-Type: text/calendar; method=REPLY\r\n\r\n" + b"BEGIN:VEVENT\r\n" * 15_000,
    ],
    ids=["nested", "comments", "parts", "rfc2231", "encoded", "parameters", "quotes", "entries"],
)
def test_hostile_mail_is_refused_by_name(hostile) -> None:
    with pytest.raises(NotAnAnswer):
        reply.read(hostile)


def test_ten_thousand_damaged_replies_raise_nothing_but_what_is_promised() -> None:
    chance = random.Random(20261005)
    shapes = [mailed(shape, to=PLUS) for shape in NAMES]
    counted = {"read": 0, "refused": 0}
    for number in range(10_000):
        try:
            found = reply.read(mutated(shapes[number % len(shapes)], chance))
        except NotAnAnswer:
            counted["refused"] += 1
        else:
            assert found.rsvp in {"yes", "no", "maybe"}
            assert 0 <= found.sequence < 2**31
            counted["read"] += 1
    assert sum(counted.values()) == 10_000
    assert min(counted.values()) > 500, counted

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
    Unread,
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
        "attendees": (("amira@example.org", "DECLINED"),),
        "sequence": 0,
        "stamp_at": STAMP,
        "comment": "",
        "author": "amira@example.org",
        "senders": ("amira@example.org",),
        "tokens": (),
        "message_id": "<bare@example.org>",
    }
    return Reply(**values | given)


def rsvp_of(mail: bytes) -> str:
    return reply.read(mail).line_of("amira@example.org")[1]


@pytest.mark.parametrize("shape", NAMES)
@pytest.mark.parametrize(("partstat", "rsvp"), [("ACCEPTED", "yes"), ("DECLINED", "no"), ("TENTATIVE", "maybe")])
def test_answer_of_a_calendar_program_is_read_whole(shape, partstat, rsvp) -> None:
    mail = mailed(shape, to=PLUS, partstat=partstat, sequence=3)
    assert rsvp_of(mail) == rsvp
    assert reply.read(mail) == answer(
        attendees=(("amira@example.org", partstat),),
        sequence=3,
        tokens=(TOKEN,),
        comment="Sorry, I am away that week." if shape in {"exchange", "file_only"} else "",
        message_id=f"<c7a1@{IDS[shape]}>",
    )


@pytest.mark.parametrize("shape", NAMES)
def test_line_ends_without_carriage_return_cost_no_answer(shape) -> None:
    assert rsvp_of(mailed(shape).replace(b"\r\n", b"\n")) == "no"


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
        ({"UID": None}, "Its calendar part does not name one event."),
        ({"UID": "UID:" + "x" * 300}, "Its calendar part does not name one event."),
        ({"SEQUENCE": "SEQUENCE:-1"}, "Its SEQUENCE is no number."),
        ({"SEQUENCE": "SEQUENCE:٣"}, "Its SEQUENCE is no number."),
        ({"SEQUENCE": "SEQUENCE:9999999999"}, "Its SEQUENCE is no number that was ever sent."),
    ],
)
def test_reply_without_event_or_version_is_named(lines, reason) -> None:
    with pytest.raises(UnusableCalendar) as refused:
        reply.read(bare(calendar(**lines)))
    assert str(refused.value) == reason


@pytest.mark.parametrize(
    ("lines", "rsvp", "doubt"),
    [
        ({"ATTENDEE": None}, "", "It answers for 0 people, not for one."),
        (
            {"NEXT": "ATTENDEE;PARTSTAT=ACCEPTED:mailto:amira.haddad@work.example"},
            "no",
            "It answers for 2 people, not for one.",
        ),
        (
            {"UID": "UID:5f0c1f0e@events.example.org\nATTENDEE;PARTSTAT=ACCEPTED:mailto:alias@example.org"},
            "no",
            "It answers for 2 people, not for one.",
        ),
        ({"NEXT": "ATTENDEE;PARTSTAT=ACCEPTED:mailto:amira@example.org"}, "", "It gives no answer, or two at once."),
        ({"NEXT": "ATTENDEE;PARTSTAT=DECLINED:mailto:Amira@Example.org"}, "no", ""),
        ({"ATTENDEE": "ATTENDEE:mailto:amira@example.org"}, "", "It gives no answer, or two at once."),
        (
            {"ATTENDEE": 'ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO="mailto:b@c.d":mailto:amira@example.org'},
            "",
            "It answers DELEGATED, which is neither yes, no nor maybe.",
        ),
        (
            {"ATTENDEE": "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:amira@example.org"},
            "",
            "It answers NEEDS-ACTION, which is neither yes, no nor maybe.",
        ),
    ],
)
def test_ambiguous_reply_is_read_as_far_as_it_goes_and_has_a_doubt(lines, rsvp, doubt) -> None:
    found = reply.read(bare(calendar(**lines)))
    assert (found.line_of("amira@example.org")[1], found.doubt) == (rsvp, doubt)


def several(*bodies: str) -> str:
    return "BEGIN:VCALENDAR\nMETHOD:REPLY\n" + "".join(f"BEGIN:VEVENT\n{one}\nEND:VEVENT\n" for one in bodies)


def one(sequence: int, partstat: str, *more: str, uid: str = "u") -> str:
    return "\n".join([f"UID:{uid}", f"SEQUENCE:{sequence}", f"ATTENDEE;PARTSTAT={partstat}:mailto:a@b.c", *more])


def test_of_several_entries_the_whole_event_counts_then_the_newest() -> None:
    date = "RECURRENCE-ID:20261019T190000Z"
    found = reply.read(bare(several(one(1, "ACCEPTED"), one(2, "TENTATIVE"), one(3, "DECLINED", date))))
    assert (found.line_of("a@b.c"), found.sequence, found.doubt) == (("a@b.c", "maybe"), 2, "")


def test_too_many_entries_are_read_with_a_doubt() -> None:
    found = reply.read(bare(several(*[one(0, "ACCEPTED")] * 17)))
    assert (found.line_of("a@b.c")[1], found.doubt) == ("yes", "It holds 17 calendar entries instead of one.")


def test_two_events_or_none_are_no_answer() -> None:
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
    assert rsvp_of(bare(calendar().replace("METHOD:REPLY\n", ""))) == "no"


@pytest.mark.parametrize("kind", ["text/calendar", "text/calendar; method=reply", "TEXT/CALENDAR; METHOD=Reply"])
@pytest.mark.parametrize("method", ["METHOD:REPLY", "method:reply", "Method:Reply "])
def test_method_is_read_in_any_case_and_without_that_of_mime(kind, method) -> None:
    mail = bare(calendar().replace("METHOD:REPLY", method))
    assert rsvp_of(mail.replace(b"text/calendar; method=REPLY", kind.encode())) == "no"


def test_calendar_that_says_no_method_at_all_is_named() -> None:
    mail = bare(calendar().replace("METHOD:REPLY\n", "")).replace(b"; method=REPLY", b"")
    with pytest.raises(UnusableCalendar, match="does not say whether it is an answer"):
        reply.read(mail)


@pytest.mark.parametrize(
    "kind",
    [
        "application/octet-stream",
        'application/octet-stream; name="reply.ics"',
        "text/plain",
        "text/x-vcalendar",
        "application/calendar",
    ],
)
def test_calendar_is_found_whatever_type_it_is_given(kind) -> None:
    assert rsvp_of(bare(calendar()).replace(b"text/calendar; method=REPLY", kind.encode())) == "no"


def test_broken_base64_padding_costs_no_answer() -> None:
    head, _empty, body = bare(calendar("X-PAD:1")).partition(b"\r\n\r\n")
    encoded = base64.b64encode(body)
    for broken in (encoded.rstrip(b"=")[:-2], encoded + b"=", encoded.replace(b"=", b"") + b"!"):
        mail = head + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + broken
        assert rsvp_of(mail) == "no"


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


def enclosing(inner: EmailMessage) -> bytes:
    outer = EmailMessage()
    outer["From"], outer["To"] = "sam@example.org", PLUS
    outer.set_content("look at this")
    outer.add_attachment(inner)
    return outer.as_bytes()


def test_answer_inside_a_forwarded_mail_has_a_doubt_and_the_outer_author() -> None:
    inner = EmailMessage()
    inner["From"] = "amira@example.org"
    inner.set_content(calendar(), subtype="calendar", params={"method": "REPLY"})
    found = reply.read(enclosing(inner))
    assert (found.author, found.doubt) == ("sam@example.org", "The answer is in a mail that was forwarded.")
    assert found.line_of("amira@example.org") == ("amira@example.org", "no")


def test_our_own_invitation_in_a_forwarded_mail_is_no_answer() -> None:
    inner = EmailMessage()
    inner["From"] = "events@example.org"
    inner.set_content(calendar(method="REQUEST"), subtype="calendar", params={"method": "REQUEST"})
    with pytest.raises(NoCalendarPart):
        reply.read(enclosing(inner))


def sealed_mail(kind: str, content: bytes, *, headers: str = "", text: str = "") -> bytes:
    return (
        f"From: amira@example.org\r\n{headers}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        f"--b\r\nContent-Type: text/plain\r\n\r\n{text}\r\n"
        f"--b\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    ).encode() + base64.encodebytes(content)


TNEF = b"\x78\x9f\x3e\x22" + bytes(60)


@pytest.mark.parametrize(
    ("kind", "content", "reason"),
    [
        ("application/ms-tnef; name=winmail.dat", TNEF, "Outlook"),
        ("application/vnd.ms-tnef", b"", "Outlook"),
        ("application/octet-stream; name=WINMAIL.DAT", b"", "Outlook"),
        ("application/octet-stream", TNEF, "Outlook"),
        ("application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m", b"0", "S/MIME"),
        ("application/x-pkcs7-mime; smime-type=signed-data", b"0", "S/MIME"),
        ("application/octet-stream; name=smime.p7m", b"0", "S/MIME"),
        ("application/pgp-encrypted", b"Version: 1", "PGP"),
    ],
)
def test_content_that_cannot_be_opened_is_named(kind, content, reason) -> None:
    for headers in ("", "Auto-Submitted: auto-generated\r\n"):
        with pytest.raises(Unread, match=reason):
            reply.read(sealed_mail(kind, content, headers=headers))
    with pytest.raises(WrittenByAProgram):
        reply.read(sealed_mail(kind, content, headers="Auto-Submitted: auto-replied\r\n", text="I am away."))


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
        ("Subject: =?utf-8?q?Automatische_Antwort=3A?= Weg\n", NoCalendarPart),
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
    assert rsvp_of(bare(calendar(), headers="Auto-Submitted: auto-generated\n")) == "no"


def test_mail_that_is_too_large_or_none_is_named() -> None:
    with pytest.raises(TooLarge, match="262,145 bytes"):
        reply.read(words(to=PLUS).ljust(LARGEST + 1))
    assert rsvp_of(mailed().ljust(LARGEST)) == "no"
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
            assert found.doubt or found.line_of("amira@example.org")[1] in {"yes", "no", "maybe"}
            assert 0 <= found.sequence < 2**31
            counted["read"] += 1
    assert sum(counted.values()) == 10_000
    assert min(counted.values()) > 500, counted

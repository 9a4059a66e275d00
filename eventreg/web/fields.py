"""Fields that clean what people type and say in words what is wrong with it."""

import re
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import DateTimeLocalField, Form, IntegerField, StringField, TextAreaField
from wtforms.validators import DataRequired, Optional, StopValidation, ValidationError

from eventreg import addresses, text
from eventreg.errors import InvalidField
from eventreg.events import search

EARLIEST_YEAR, LATEST_YEAR = 1970, 2200
LONGEST_NUMBER = 40
"""Characters of a number or a date, blanks around it included."""
LARGEST_NUMBER = 1_000_000


def stored_value(field: Any) -> Any:
    """What the form was opened with, cleaned as the field cleans what is sent."""
    stored = field.object_data
    for clean in field.filters:
        stored = clean(stored)
    return stored


def is_as_stored(field: Any) -> bool:
    """Whether the form still holds the stored value: it stays valid when a rule was tightened since."""
    return bool(field.data) and field.data == stored_value(field)


class AtMost:
    """Refuses longer text, saying how long it is; the browser is told too. No check after it sees such text.

    A stored value may stay as it is.
    """

    def __init__(self, characters: int) -> None:
        self.characters = characters
        self.field_flags = {"maxlength": characters}

    def __call__(self, _form: Form, field: Any) -> None:
        """Raises: StopValidation."""
        if len(field.data or "") > self.characters and not is_as_stored(field):
            raise StopValidation(
                _(
                    "This has %(length)s characters. Shorten it to %(most)s.",
                    length=len(field.data),
                    most=self.characters,
                )
            )


class Given:
    """Marks a field that always has a value, so that it is not called optional."""

    field_flags = {"required": True}

    def __call__(self, _form: Form, _field: Any) -> None:
        """Accepts anything: the rule for it stands elsewhere."""


def web_address(_form: Form, field: Any) -> None:
    """Raises: ValidationError for what is no http address (a `javascript:` one, say)."""
    if not field.data or is_as_stored(field):
        return
    try:
        parts = urlsplit(field.data)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme.lower() not in {"http", "https"} or not parts.hostname or " " in field.data:
        raise ValidationError(_("Write a web address that begins with https:// or http://."))


class Line(StringField):
    """One line of text."""

    def __init__(self, label: Any, *, most: int, required: Any = None, **kwargs: Any) -> None:
        # A lazy text is translated to see whether it is empty, for every form: None alone says that there is none.
        needed = [] if required is None else [DataRequired(required)]
        checks = [*needed, AtMost(most), *kwargs.pop("validators", [])]
        super().__init__(label, checks, filters=[partial(text.line, most=most)], **kwargs)


class Lines(TextAreaField):
    """Several lines of text."""

    def __init__(self, label: Any, *, most: int, **kwargs: Any) -> None:
        super().__init__(label, [AtMost(most)], filters=[partial(text.paragraph, most=most)], **kwargs)


class Email(StringField):
    """An e-mail address, in the form in which it can be written to. `required` says what to do when there is none."""

    def __init__(self, label: Any, *, required: Any = None, **kwargs: Any) -> None:
        needed = Optional() if required is None else DataRequired(required)
        # Not type="email": a browser would turn a domain into its ASCII form before the person has looked it over.
        attributes = {"inputmode": "email", "autocapitalize": "none", "spellcheck": "false"}
        attributes |= kwargs.pop("render_kw", {})
        super().__init__(label, [needed, _writable], filters=[_tidied], render_kw=attributes, **kwargs)


def _tidied(given: object) -> str:
    return addresses.tidied(given) if isinstance(given, str) else ""


def _writable(_form: Form, field: Any) -> None:
    """Normalises the field's data. Raises: ValidationError."""
    if not field.data or is_as_stored(field):
        return  # of an optional field, and nothing in it can be seen; or stored before a rule was tightened
    try:
        field.data = addresses.normalised(field.data)
    except InvalidField as error:
        raise ValidationError(error.message) from error


class WallClock(DateTimeLocalField):
    """`YYYY-MM-DDTHH:MM`, without a zone; seconds and a bare date are understood too."""

    FORMATS = ("%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d")

    def __init__(self, label: Any, validators: Any = None, **kwargs: Any) -> None:
        super().__init__(label, validators, format=list(self.FORMATS), **kwargs)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Raises: ValueError in words."""
        if not valuelist:
            return
        self.data = None
        typed = text.line(valuelist[0], most=LONGEST_NUMBER)
        if not typed:
            return
        for form in self.FORMATS:
            try:
                wall = datetime.strptime(typed[: LONGEST_NUMBER + 1], form)  # noqa: DTZ007 - a wall clock has no zone
            except ValueError:
                continue
            if not EARLIEST_YEAR <= wall.year <= LATEST_YEAR:
                raise ValueError(_("Choose a year from %(first)s to %(last)s.", first=EARLIEST_YEAR, last=LATEST_YEAR))
            self.data = wall.replace(second=0)
            return
        raise ValueError(_("Write date and time like 2026-10-19T15:00."))

    def _value(self) -> str:
        if self.raw_data:
            return " ".join(self.raw_data)
        return self.data.strftime("%Y-%m-%dT%H:%M") if self.data else ""


class Whole(IntegerField):
    """A whole number from `least` to `most`. `bounds` are the words for one beyond them.

    `may_be_empty`: empty has a meaning of its own (None); otherwise it is refused, never filled in.
    """

    def __init__(
        self,
        label: Any,
        *,
        least: int,
        may_be_empty: bool = False,
        most: int = LARGEST_NUMBER,
        bounds: Any = None,
        **kwargs: Any,
    ) -> None:
        self.least = least
        self.most = most
        self.may_be_empty = may_be_empty
        self.bounds = bounds
        super().__init__(label, render_kw={"min": least, "max": most, "inputmode": "numeric"}, **kwargs)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Raises: ValueError in words."""
        if not valuelist:
            return
        typed = text.line(valuelist[0], most=LONGEST_NUMBER)
        if not typed:
            if not self.may_be_empty:
                raise ValueError(_("Enter a number, like 2."))
            self.data = None
            return
        if not re.fullmatch(r"-?[0-9]{1,12}", typed):
            raise ValueError(_("Write a whole number, like 2."))
        if not self.least <= int(typed) <= self.most and int(typed) != self.object_data:
            words = _("Write a number from %(least)s to %(most)s.", least=self.least, most=f"{self.most:,}")
            raise ValueError(self.bounds or words)
        self.data = int(typed)

    @property
    def is_sent_empty(self) -> bool:
        """Whether the request holds the field with nothing in it."""
        sent = self.raw_data or []
        return bool(sent) and not text.line(sent[0], most=LONGEST_NUMBER)


class Names(StringField):
    """Names separated by commas, or the field repeated; each once, in the order given."""

    def __init__(self, label: Any, *, most: int, **kwargs: Any) -> None:
        self.most = most
        super().__init__(label, **kwargs)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Raises: ValueError in words."""
        if not valuelist:
            return
        too_long = _("These names together are too long. Use fewer or shorter ones.")
        typed = ",".join(valuelist)
        if text.is_far_too_long(typed, self.most):
            raise ValueError(too_long)
        names: dict[str, str] = {}
        for name in (text.line(one, most=self.most) for one in typed.split(",")):
            if key := search.name_key(name):
                names.setdefault(key, name)
        self.data = tuple(names.values())
        if self.data == tuple(self.object_data or ()):
            return
        if len(", ".join(self.data)) > self.most or len(f"|{'|'.join(names)}|") > self.most:
            raise ValueError(too_long)

    def _value(self) -> str:
        return ", ".join(self.data or ())


KeyCheck = Callable[[Form, Any], None]


def key_at_most(characters: int) -> KeyCheck:
    """Refuses a name whose comparable form does not fit its column (some letters fold into many)."""

    def check(_form: Form, field: Any) -> None:
        if not is_as_stored(field) and len(search.name_key(field.data or "")) > characters:
            raise ValidationError(_l("That name is too long. Use a shorter one."))

    return check

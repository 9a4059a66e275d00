"""Fields that clean what people type and say in words what is wrong with it."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import DateTimeLocalField, Form, IntegerField, StringField, TextAreaField
from wtforms.validators import DataRequired, Optional, ValidationError

from eventreg import addresses
from eventreg.errors import InvalidField
from eventreg.events import search
from eventreg.web import cleaning

EARLIEST_YEAR, LATEST_YEAR = 1970, 2200
LARGEST_NUMBER = 1_000_000


class AtMost:
    """Refuses longer text, saying how long it is; the browser is told too."""

    def __init__(self, characters: int) -> None:
        self.characters = characters
        self.field_flags = {"maxlength": characters}

    def __call__(self, _form: Form, field: Any) -> None:
        """Raises: ValidationError."""
        if len(field.data or "") > self.characters:
            raise ValidationError(
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
    if not field.data:
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
        super().__init__(label, checks, filters=[cleaning.line], **kwargs)


class Lines(TextAreaField):
    """Several lines of text."""

    def __init__(self, label: Any, *, most: int, **kwargs: Any) -> None:
        super().__init__(label, [AtMost(most)], filters=[cleaning.paragraph], **kwargs)


class Email(StringField):
    """An e-mail address, in the form in which it can be written to. `required` says what to do when there is none."""

    def __init__(self, label: Any, *, required: Any = None, **kwargs: Any) -> None:
        needed = Optional() if required is None else DataRequired(required)
        # Not type="email": a browser would turn a domain into its ASCII form before the person has looked it over.
        attributes = {"inputmode": "email", "autocapitalize": "none", "spellcheck": "false"}
        attributes |= kwargs.pop("render_kw", {})
        super().__init__(label, [needed, _writable], filters=[cleaning.line], render_kw=attributes, **kwargs)


def _writable(_form: Form, field: Any) -> None:
    """Normalises the field's data. Raises: ValidationError."""
    try:
        field.data = addresses.normalised(field.data or "")
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
        text = cleaning.line(valuelist[0])
        if not text:
            return
        for form in self.FORMATS:
            try:
                wall = datetime.strptime(text, form)  # noqa: DTZ007 - a wall clock has no zone
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
    """A whole number from `least` to `most`; empty means `empty`. `bounds` are the words for one beyond them."""

    def __init__(
        self,
        label: Any,
        *,
        least: int,
        empty: int | None,
        most: int = LARGEST_NUMBER,
        bounds: Any = None,
        **kwargs: Any,
    ) -> None:
        self.least = least
        self.most = most
        self.empty = empty
        self.bounds = bounds
        super().__init__(label, render_kw={"min": least, "max": most, "inputmode": "numeric"}, **kwargs)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Raises: ValueError in words."""
        if not valuelist:
            return
        text = cleaning.line(valuelist[0])
        self.data = self.empty
        if not text:
            return
        if not re.fullmatch(r"-?[0-9]{1,12}", text):
            raise ValueError(_("Write a whole number, like 2."))
        if not self.least <= int(text) <= self.most:
            words = _("Write a number from %(least)s to %(most)s.", least=self.least, most=f"{self.most:,}")
            raise ValueError(self.bounds or words)
        self.data = int(text)


class Names(StringField):
    """Names separated by commas, or the field repeated; each once, in the order given."""

    def __init__(self, label: Any, *, most: int, **kwargs: Any) -> None:
        self.most = most
        super().__init__(label, **kwargs)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Raises: ValueError in words."""
        if not valuelist:
            return
        names: dict[str, str] = {}
        for name in ",".join(cleaning.line(text) for text in valuelist).split(","):
            if search.name_key(name):
                names.setdefault(search.name_key(name), name.strip())
        self.data = tuple(names.values())
        if len(", ".join(self.data)) > self.most or len(f"|{'|'.join(names)}|") > self.most:
            raise ValueError(_("These names together are too long. Use fewer or shorter ones."))

    def _value(self) -> str:
        return ", ".join(self.data or ())


KeyCheck = Callable[[Form, Any], None]


def key_at_most(characters: int) -> KeyCheck:
    """Refuses a name whose comparable form does not fit its column (some letters fold into many)."""

    def check(_form: Form, field: Any) -> None:
        if len(search.name_key(field.data or "")) > characters:
            raise ValidationError(_l("That name is too long. Use a shorter one."))

    return check

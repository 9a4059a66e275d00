"""Optimistic locking of forms: saving never overwrites a value that changed after the form was opened.

A form carries a digest of each value it was opened with. Under the lock of the write transaction the digests are
compared with what is stored by then; the caller answers a difference with status 409 and shows it field by field.
A form without digests (sent by a script, or opened before an upgrade) is taken as it is.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from flask import request
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import BooleanField, Field, HiddenField
from wtforms.fields.choices import SelectFieldBase

from eventreg.errors import EventRegError
from eventreg.web.fields import stored_value
from eventreg.web.tokens import LateToken

VERSION = "version"
LONGEST_SHOWN = 300
BAD_REQUEST, UNPROCESSABLE = 400, 422
_ONE = re.compile(r"([\w-]+):([0-9a-f]{8})")


class Difference(NamedTuple):
    """A value that changed meanwhile, in words; `yours` is None where nothing was typed."""

    label: str
    now: str
    yours: str | None = None


class ChangedMeanwhileError(EventRegError):
    """What was to be saved would overwrite these. `version` stands for the values as they are now.

    `fields` are the form fields that say so, where a form holds several.
    """

    def __init__(
        self, differences: list[Difference], version: str = "", *, fields: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(_("Somebody changed this after you opened the page. Nothing of yours is saved yet."))
        self.differences = differences
        self.version = version
        self.fields = {VERSION: version} if fields is None else fields


class ReturnedForm(FlaskForm):
    """A form that checks its CSRF token itself, so that one that has expired gives everything typed back."""

    class Meta(FlaskForm.Meta):
        """The token is made with the page: an answer that is taken needs none."""

        csrf_class = LateToken

    def validate(self, extra_validators: Any = None) -> bool:
        """As WTForms does; a token that is missing, old or of another session is told in plain words."""
        good = bool(super().validate(extra_validators))
        token = self._fields.get("csrf_token")
        if token is not None and token.errors:
            form_is_old = _(
                "Nothing is saved yet: this page was open for very long, or your browser keeps no cookies for this "
                "site. What you wrote is still here; send it again."
            )
            token.errors = (form_is_old,)
        return good

    @property
    def refused_with(self) -> int:
        """The status of a form that is shown again: 400 without a valid token, 422 with something to put right."""
        token = self._fields.get("csrf_token")
        return BAD_REQUEST if token is not None and token.errors else UNPROCESSABLE


class VersionedForm(ReturnedForm):
    """A form that changes what is stored. Fields in `unstored` are wishes about saving, and nothing that is kept."""

    unstored: frozenset[str] = frozenset()
    version = HiddenField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self._fields.get(VERSION)
        if field is not None and not field.raw_data:  # not sent: as it stands now
            field.data = self.stored_version()

    def stored_fields(self) -> dict[str, Field]:
        """The fields that show something stored."""
        return {
            name: field
            for name, field in self._fields.items()
            if not isinstance(field, HiddenField) and name not in self.unstored and name != "csrf_token"
        }

    def stored_version(self) -> str:
        """Stands for the values the form was filled with, whatever was sent."""
        return version_of({name: stored_value(field) for name, field in self.stored_fields().items()})

    def show_again(self, version: str) -> None:
        """The next press is about the values as they are now."""
        field = self._fields[VERSION]
        field.data, field.raw_data = version, None


def version_of(values: Mapping[str, Any]) -> str:
    """A short digest of each value, by name."""
    return " ".join(f"{name}:{_digest(value)}" for name, value in values.items())


def is_sent() -> bool:
    """Whether the request says what its page was opened with."""
    return VERSION in request.form


def changed(sent: str, values: Mapping[str, Any]) -> list[str]:
    """Names of the values that are not as `sent` says."""
    seen = dict(_ONE.findall(sent))
    return [name for name, value in values.items() if seen.get(name) != _digest(value)]


def refuse_stale(form: VersionedForm, current: VersionedForm) -> None:
    """`current` is the same form, filled under the lock with what is stored now. Raises: ChangedMeanwhileError."""
    if not is_sent():
        return
    now = current.stored_fields()
    names = changed(form.version.data or "", {name: stored_value(field) for name, field in now.items()})
    differences = [
        Difference(form[name].label.text, shown(now[name], now[name].data), shown(form[name], form[name].data))
        for name in names
        if name in form and form[name].data != now[name].data
    ]
    if differences:
        raise ChangedMeanwhileError(differences, current.stored_version())


def refuse_stale_button(sent: str | None, values: Mapping[str, Any], words: Mapping[str, tuple[str, str]]) -> None:
    """For a button that acts on what its page showed. `words` are (label, value) in words, by name.

    Raises: ChangedMeanwhileError.
    """
    names = [] if sent is None else changed(sent, values)
    if names:
        raise ChangedMeanwhileError([Difference(*words[name]) for name in names], version_of(values))


def shown(field: Field, value: Any) -> str:
    """A field's value in words."""
    if isinstance(field, BooleanField):
        return _("yes") if value else _("no")
    if isinstance(field, SelectFieldBase):
        labels = {choice.value: str(choice.label) for choice in field.iter_choices()}
        return labels.get(value, str(value or "")) if value else _("empty")
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    text = ", ".join(value) if isinstance(value, tuple) else "" if value is None else str(value)
    return (text[:LONGEST_SHOWN].rstrip() + "…" if len(text) > LONGEST_SHOWN else text) or _("empty")


def _digest(value: Any) -> str:
    plain = "" if value is None else value
    return hashlib.sha256(repr(plain).encode()).hexdigest()[:8]

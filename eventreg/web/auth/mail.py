"""Flask-Security's mails go the way of every other: a row first, sent by the worker."""

from typing import Any

from flask import after_this_request, current_app
from flask.wrappers import Response
from flask_security import MailUtil
from flask_security.mail_util import EmailValidateException

from eventreg import addresses, tasks
from eventreg.db import db
from eventreg.errors import InvalidField
from eventreg.outbox import queue
from eventreg.web.moment import request_now


class OutboxMail(MailUtil):
    """Owes the mail in the request's transaction and commits it when the request has succeeded.

    Addresses are read by `addresses.normalised`, as everywhere else.
    """

    def normalize(self, email: str) -> str:
        """What is typed at sign-in, as the account holds it. Raises: EmailValidateException."""
        return self.validate(email)

    def validate(self, email: str) -> str:
        """The same. Raises: EmailValidateException."""
        try:
            return addresses.normalised(email).lower()
        except InvalidField as error:
            raise EmailValidateException(error.message) from error

    def send_mail(
        self,
        template: str,  # noqa: ARG002
        subject: str,
        recipient: str | tuple[str, str],
        sender: str | tuple[str, str],  # noqa: ARG002 - one sender for all mail, chosen when it is composed
        body: str | None,
        html: str | None,
        **kwargs: Any,
    ) -> None:
        """Queues it; `kwargs` hold the account it is about as `user`."""
        queue.add(
            db.session(),
            kind="auth",
            recipient=recipient if isinstance(recipient, str) else recipient[1],
            recipient_name=kwargs["user"].name,
            payload={"subject": str(subject), "text": body or "", "html": html or ""},
            now=request_now(),
        )
        after_this_request(_commit)


def _commit(response: Response) -> Response:
    """Runs before the response leaves, also where Flask-Security itself commits nothing (“forgot password”)."""
    db.session.commit()
    tasks.nudge()
    return response


def reset_address(token: str) -> str:
    """Where a new password is chosen, from BASE_URL and never from the Host header."""
    address: str = current_app.extensions["eventreg.links"].absolute(f"/auth/reset/{token}")
    return address

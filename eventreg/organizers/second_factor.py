"""Sign-in codes and recovery codes that work once, also when parallel requests send the same one.

Flask-Security reads what was used, compares, and writes; between the two another request may do the same. Here
the database decides: the counter of sign-in codes by a guarded UPDATE, recovery codes under the account's row lock.
"""

import base64
from io import BytesIO
from typing import Any

from blinker import Signal
from flask_security import MfRecoveryCodesUtil
from flask_security.totp import Totp
from passlib.exc import UsedTokenError
from sqlalchemy import or_, update

from eventreg.db import db
from eventreg.organizers.models import Organizer

recovery_codes_made = Signal("Sent with `user`, in the transaction that makes them.")
recovery_code_used = Signal("Sent with `user`, in the transaction that removes it.")


class AuthenticatorCodes(Totp):
    """TOTP codes, and their QR code as a picture the Content-Security-Policy allows."""

    def verify_totp(self, token: str, totp_secret: str, user: Any, window: int = 0) -> bool:
        """As Flask-Security's; a secret that cannot be decrypted any more accepts no code."""
        try:
            return bool(super().verify_totp(token, totp_secret, user, window))
        except (KeyError, TypeError, ValueError):
            return False

    def get_last_counter(self, user: Any) -> int | None:
        """The time step of the last code taken."""
        counter: int | None = user.tf_last_counter
        return counter

    def set_last_counter(self, user: Any, tmatch: Any) -> None:
        """Compare-and-set of the time step. Raises: UsedTokenError when this step or a later one is taken."""
        earlier = or_(Organizer.tf_last_counter.is_(None), Organizer.tf_last_counter < tmatch.counter)
        taken = db.session.execute(
            update(Organizer).where(Organizer.id == user.id, earlier).values(tf_last_counter=tmatch.counter)
        )
        if taken.rowcount == 0:  # type: ignore[attr-defined]
            raise UsedTokenError

    def generate_qrcode(self, username: str, totp: str) -> str:
        """A `data:` address of an SVG."""
        import segno  # noqa: PLC0415 - an account asks for it once

        picture = BytesIO()
        segno.make(self.get_totp_uri(username, totp)).save(picture, kind="svg", scale=6, border=4, light="white")
        return "data:image/svg+xml;base64," + base64.b64encode(picture.getvalue()).decode()


class RecoveryCodes(MfRecoveryCodesUtil):
    """Recovery codes; the transaction that checks one holds the account's row until the code is removed."""

    def check_recovery_code(self, user: Any, code: str) -> bool:
        """As Flask-Security's, on what the row holds once it is locked."""
        db.session.refresh(user, ["mf_recovery_codes"], with_for_update=True)
        return bool(super().check_recovery_code(user, code))

    def create_recovery_codes(self, user: Any) -> list[str]:
        """New ones in the place of all others."""
        codes: list[str] = super().create_recovery_codes(user)
        recovery_codes_made.send(self, user=user)
        return codes

    def delete_recovery_code(self, user: Any, code: str) -> bool:
        """Removes the one that was used."""
        removed = bool(super().delete_recovery_code(user, code))
        recovery_code_used.send(self, user=user)
        return removed

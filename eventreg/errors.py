"""Everything that can be refused, by name. Each error says what happened in words a person can act on."""


class EventRegError(Exception):
    """Base of every refusal this service makes on purpose."""


class SettingError(EventRegError):
    """A setting has a value the service cannot start with."""


class WallClockError(EventRegError):
    """A wall-clock time that does not exist in its zone, or a zone that does not exist."""


class NotFound(EventRegError):
    """There is no such thing, or the asker may not know that there is."""


class InvalidField(EventRegError):
    """A value breaks a rule of the domain; `field` names the form field it came from."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


class AccountNeeded(EventRegError):
    """An account cannot be disabled, demoted or removed while others depend on it."""


class RegistrationRefused(EventRegError):
    """The answer cannot be taken as it stands."""


class RegistrationNotOpen(RegistrationRefused):
    """The registration window has not begun, has ended, or the event is over or cancelled."""


class OpeningUsed(EventRegError):
    """The form, as it was opened, has been answered for another address already."""


class EventChanged(RegistrationRefused):
    """The event is not what it was when the answer was checked; it must be checked again."""


class EventFull(RegistrationRefused):
    """The party does not fit. `seats_left` says how many places there are; `can_wait` whether the waitlist is open."""

    def __init__(self, message: str, *, seats_left: int, can_wait: bool) -> None:
        super().__init__(message)
        self.seats_left = seats_left
        self.can_wait = can_wait


class EventStateError(EventRegError):
    """The event's status does not allow what was asked (publishing a cancelled event, say)."""


class CapacityTooSmall(InvalidField):
    """A capacity below the number of seats already taken."""


class ExportFormatUnknown(EventRegError):
    """An export was asked for in a format the service does not write."""


class ExportTooLong(EventRegError):
    """A list has more people than a download in that format can hold."""

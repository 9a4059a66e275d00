"""Who may do what with an event, as plain questions."""

from typing import Protocol

from eventreg.organizers.models import Organizer


class Owned(Protocol):
    """Anything that belongs to an organizer; events stand below this package and are not imported."""

    @property
    def organizer_id(self) -> int:
        """Whose it is."""
        ...


class Published(Owned, Protocol):
    """An event, as far as the rules here look at it."""

    @property
    def status(self) -> str:
        """draft, published or cancelled."""
        ...


def role_of(organizer: Organizer) -> str:
    """The strongest of an account's roles, `door` when it has none."""
    names = {role.name for role in organizer.roles}
    return next((name for name in ("admin", "organizer") if name in names), "door")


def is_admin(organizer: Organizer) -> bool:
    """Whether every event and account is theirs to run."""
    return role_of(organizer) == "admin"


def can_organize(organizer: Organizer) -> bool:
    """Whether the account runs events at all; door helpers do not."""
    return role_of(organizer) != "door"


def can_edit(organizer: Organizer, event: Owned) -> bool:
    """Whether they may change the event, see who comes with address and answers, and export it."""
    return is_admin(organizer) or (can_organize(organizer) and event.organizer_id == organizer.id)


def can_view(organizer: Organizer, event: Published) -> bool:
    """Whether they may see the event's desk at all: its names and party sizes, no more, for a door helper.

    A door helper belongs to no event, so every published event's door is open to them. Drafts and cancelled events,
    which have no door, are not; the helper's own list leaves out the same ones.
    """
    return can_edit(organizer, event) or (role_of(organizer) == "door" and event.status == "published")

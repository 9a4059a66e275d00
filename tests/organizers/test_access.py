"""Who may do what with an event: one table."""

from dataclasses import dataclass

import pytest

from eventreg.organizers import access
from eventreg.organizers.models import Organizer, Role


@dataclass
class Thing:
    organizer_id: int
    status: str = "published"


@pytest.mark.parametrize(
    ("roles", "owner", "views", "edits"),
    [
        (["admin"], 99, True, True),
        (["organizer"], 1, True, True),
        (["organizer"], 99, False, False),
        (["door"], 99, True, False),
        (["door"], 1, True, False),
        ([], 1, True, False),
        (["organizer", "door"], 99, False, False),
    ],
)
def test_predicates_follow_role_and_ownership(roles: list[str], owner: int, views: bool, edits: bool) -> None:
    organizer = Organizer(id=1, roles=[Role(name=name) for name in roles])
    event = Thing(owner)
    assert (access.can_view(organizer, event), access.can_edit(organizer, event)) == (views, edits)


@pytest.mark.parametrize("status", ["draft", "cancelled"])
@pytest.mark.parametrize(("role", "views"), [("admin", True), ("organizer", True), ("door", False)])
def test_unpublished_event_has_no_door(role: str, views: bool, status: str) -> None:
    organizer = Organizer(id=1, roles=[Role(name=role)])
    assert access.can_view(organizer, Thing(1, status)) is views

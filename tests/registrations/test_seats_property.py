"""Whatever people and organizers do, in any order: seats are the rows', the line keeps its order, nobody is lost."""

from dataclasses import replace
from datetime import timedelta

import hypothesis.strategies as st
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from eventreg.audit import Actor
from eventreg.db import write_transaction
from eventreg.errors import EventFull, EventRegError
from eventreg.events.models import Event
from eventreg.events.values import values_of
from eventreg.outbox.models import Message
from eventreg.registrations import changes, desk, event_changes, seats, service
from eventreg.registrations.models import Registration
from eventreg.registrations.service import AnswerForm

OLGA = Actor("organizer", 1, "Olga")
PEOPLE = st.sampled_from([f"p{number}@example.org" for number in range(6)])
PARTY = st.integers(1, 4)
RSVP = st.sampled_from(["yes", "yes", "yes", "maybe", "no"])


def machine(session, make_event, now):  # noqa: C901 - one class made of small rules
    """The machine's class, on this test's database."""

    class Seats(RuleBasedStateMachine):
        registrations = Bundle("registrations")

        def __init__(self) -> None:
            super().__init__()
            self.now = now

        @initialize(capacity=st.integers(1, 5), hold=st.booleans())
        def begin(self, capacity: int, hold: bool) -> None:
            session.rollback()
            for model in (Message, Registration):
                session.execute(sa.delete(model))
            session.commit()
            event = make_event(capacity=capacity, waitlist_rule="hold" if hold else "skip")
            self.event_id = event.id
            self.hold = hold
            self.ended: set[int] = set()

        def _try(self, act):
            """Acts in one transaction; a refusal must leave everything as it was."""
            self.now += timedelta(seconds=1)
            before = self._rows()
            try:
                with write_transaction(session):
                    return act()
            except EventRegError:
                session.expire_all()
                assert self._rows() == before
                return None

        def _rows(self):
            columns = (Registration.id, Registration.rsvp, Registration.status, Registration.party_size)
            query = sa.select(*columns).where(Registration.event_id == self.event_id).order_by(Registration.id)
            rows = [tuple(row) for row in session.execute(query)]
            session.rollback()
            return rows

        @rule(target=registrations, email=PEOPLE, party=PARTY, rsvp=RSVP, wait=st.booleans())
        def register(self, email: str, party: int, rsvp: str, wait: bool):
            form = AnswerForm(name="P", email=email, rsvp=rsvp, party_size=party, join_waitlist=wait)
            done = self._try(lambda: service.register(session, event_id=self.event_id, form=form, now=self.now))
            return multiple() if done is None else done.registration_id

        @rule(registration=registrations, party=PARTY, rsvp=RSVP, wait=st.booleans(), by_organizer=st.booleans())
        def change(self, registration: int, party: int, rsvp: str, wait: bool, by_organizer: bool) -> None:
            form = AnswerForm(name="P", email="x@example.org", rsvp=rsvp, party_size=party, join_waitlist=wait)

            def act():
                row = session.get(Registration, registration)
                kept = replace(form, email=row.email)
                return changes.change(
                    session,
                    registration_id=registration,
                    form=kept,
                    actor=OLGA,
                    now=self.now,
                    by_organizer=by_organizer and row.status != "cancelled",
                )

            self._try(act)

        @rule(registration=registrations)
        def cancel(self, registration: int) -> None:
            self._try(lambda: changes.cancel(session, registration_id=registration, actor=OLGA, now=self.now))
            self.ended.add(registration)

        @rule(registration=registrations)
        def promote(self, registration: int) -> None:
            self._try(lambda: desk.promote(session, registration_id=registration, actor=OLGA, now=self.now))

        @rule(capacity=st.integers(1, 8) | st.none())
        def change_capacity(self, capacity: int | None) -> None:
            def act():
                values = replace(values_of(session.get(Event, self.event_id)), capacity=capacity)
                return event_changes.save(
                    session, event_id=self.event_id, values=values, notify=False, actor=OLGA, now=self.now
                )

            self._try(act)

        @invariant()
        def seats_are_the_rows(self) -> None:
            if not hasattr(self, "event_id"):
                return
            session.expire_all()
            assert seats.recount(session, self.event_id) == []
            event = session.get(Event, self.event_id)
            assert event.capacity is None or 0 <= event.seats_taken <= event.capacity

        @invariant()
        def nobody_waits_who_could_sit(self) -> None:
            """Rule "skip": no waiting party fits. Rule "hold": the first in line does not fit."""
            if not hasattr(self, "event_id"):
                return
            event = session.get(Event, self.event_id)
            line = session.scalars(
                sa.select(Registration)
                .where(Registration.event_id == self.event_id, Registration.status == "waitlisted")
                .order_by(Registration.waitlisted_at, Registration.id)
            ).all()
            free = None if event.capacity is None else event.capacity - event.seats_taken
            concerned = line[:1] if self.hold else line
            assert [one.party_size for one in concerned if free is None or one.party_size <= free] == []

        @invariant()
        def the_cancelled_stay_cancelled(self) -> None:
            if not hasattr(self, "event_id"):
                return
            for registration in self.ended:
                assert session.get(Registration, registration).status == "cancelled"

        @invariant()
        def everybody_who_moved_was_written_to_once(self) -> None:
            if not hasattr(self, "event_id"):
                return
            stamps = sa.select(Message.registration_id, Message.stamp_at).where(
                Message.event_id == self.event_id, Message.kind != "link"
            )
            pairs = [tuple(row) for row in session.execute(stamps)]
            assert len(pairs) == len(set(pairs)), "two calendar parts of a registration carry one DTSTAMP"
            session.rollback()

    return Seats


@pytest.mark.parametrize("steps", [25])
def test_any_sequence_of_answers_keeps_seats_order_and_people(session, make_event, now, steps) -> None:
    run_state_machine_as_test(
        machine(session, make_event, now),
        settings=settings(
            max_examples=15,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_refusal_of_a_party_leaves_no_trace(session, make_event, now) -> None:
    event_id = make_event(capacity=2).id
    form = AnswerForm(name="P", email="p@example.org", rsvp="yes", party_size=3)
    with pytest.raises(EventFull), write_transaction(session):
        service.register(session, event_id=event_id, form=form, now=now)
    assert session.scalars(sa.select(Registration)).all() == []

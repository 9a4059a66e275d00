"""Liveness and readiness for load balancers and supervisors."""

from datetime import datetime

from flask import Flask, current_app, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from eventreg.db import db
from eventreg.migrations import is_behind, revision_of
from eventreg.outbox import heartbeat
from eventreg.storage import WriteProbe
from eventreg.web.api import blueprint
from eventreg.web.moment import request_now

NOT_READY = 503


@blueprint.get("/healthz")
def health_live() -> ResponseReturnValue:
    """The process answers; nothing else is asked."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def health_ready() -> ResponseReturnValue:
    """Database, migrations and worker, each "ok" or what is wrong; 503 while any of them is not ready.

    The database is also tried for writing: a full disk still answers questions.
    """
    checks = _checks(db.session(), request_now())
    ready = all(state == "ok" for state in checks.values())
    return jsonify(status="ok" if ready else "not ready", checks=checks), 200 if ready else NOT_READY


def _checks(session: Session, now: datetime) -> dict[str, str]:
    try:
        session.execute(text("SELECT 1"))
        revision = revision_of(session)
    except SQLAlchemyError:
        return {"database": "cannot be reached", "migrations": "unknown", "worker": "unknown"}
    if is_behind(revision):
        return {"database": "ok", "migrations": "run `eventreg db upgrade`", "worker": "unknown"}
    fault = _probe(current_app).fault(current_app)
    worker = "ok" if heartbeat.is_heard(session, now=now) else "no worker has been seen lately"
    return {"database": fault or "ok", "migrations": "ok", "worker": worker}


def _probe(app: Flask) -> WriteProbe:
    probe: WriteProbe = app.extensions.setdefault("eventreg.write_probe", WriteProbe())
    return probe

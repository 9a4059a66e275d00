"""`eventreg serve` and `eventreg worker`."""

import click
from flask.cli import ScriptInfo

from eventreg.cli.starting import check_start
from eventreg.settings import DEFAULT_BASE_URL


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one."
)
@click.option("--workers", type=click.IntRange(1, 64), help="Web processes; by default one per processor, 2 to 4.")
@click.option("--web-only", is_flag=True, help="No mail worker here; `eventreg worker` runs on another host.")
@click.pass_context
def serve(context: click.Context, host: str, port: int, workers: int | None, web_only: bool) -> None:
    """Serve the site: web processes and the mail worker under one parent, until Ctrl-C.

    Where REPLY_LMTP_PORT is set, the site's mail server can deliver replies there, too.
    """
    from eventreg import supervisor

    app = context.ensure_object(ScriptInfo).load_app()
    check_start(app)
    given = app.config["BASE_URL"]
    supervisor.serve(
        host=host,
        port=port,
        workers=workers,
        base_url=None if given == DEFAULT_BASE_URL else given,
        lmtp_port=app.config["REPLY_LMTP_PORT"],
        sends_mail=not web_only,
        announce=lambda url: click.echo(f"Serving on {url}. Ctrl-C stops it."),
    )


@click.command("worker")
@click.pass_context
def worker(context: click.Context) -> None:
    """Send mail until Ctrl-C. As many as you like may run, on as many hosts."""
    from eventreg import worker as workers

    app = context.ensure_object(ScriptInfo).load_app()
    check_start(app)
    workers.run(app)


COMMANDS = (serve, worker)

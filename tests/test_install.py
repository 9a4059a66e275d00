"""`docs/install.md` and `deploy/`: the document's own commands, run in order, and the files that they install.

The commands run as root in namespaces of their own (mounts, network, processes), so users, folders and port 8000 are
theirs alone. What needs the network or a running systemd is only recorded: `apt-get` and `systemctl`. The unit's own
command line is then run as its user.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import needs
from tests.support.needs import ROOT

DEPLOY = ROOT / "deploy"
DOCUMENT = ROOT / "docs" / "install.md"
UNITS = ("eventreg.service", "eventreg-backup.service", "eventreg-backup.timer")
HIGHEST_EXPOSURE = 3.0
NAMESPACES = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child"]
PREPARE = """
set -eu
mount --make-rprivate /
mount -t tmpfs tmpfs {own}
mkdir {own}/etc {own}/programs
cp -a /etc/. {own}/etc && mount --bind {own}/etc /etc
mkdir -p /etc/systemd/system
for folder in /srv /var/lib /var/backups; do mount -t tmpfs tmpfs $folder; done
overlay() {{
  name=$(echo "$2" | tr / _); mkdir -p {own}/$name/upper {own}/$name/work
  mount -t overlay overlay -o "lowerdir=$1,upperdir={own}/$name/upper,workdir={own}/$name/work" "$2"
}}
overlay /usr/local/bin /usr/local/bin
overlay /root /root && chmod 0755 /root
ip link set lo up
for program in apt-get systemctl; do
  printf '#!/bin/sh\\necho "%s $*" >> {own}/recorded\\n' $program > {own}/programs/$program
  chmod 0755 {own}/programs/$program
done
export PATH={own}/programs:$PATH GIT_CONFIG_GLOBAL={own}/git HOME={own}
git config --global url.{root}.insteadOf https://git.example.org/eventreg.git
git config --global --add safe.directory '*'
"""
SHARE_ENVIRONMENT = """
mkdir /srv/eventreg/.venv && overlay {root}/.venv /srv/eventreg/.venv
find /srv/eventreg/.venv/bin -type f -exec sed -i '1s,^#!.*/bin/python.*,#!/srv/eventreg/.venv/bin/python,' {{}} +
"""
SERVE = """
eval "$(sed -n 's/^Environment=/export /p' /etc/systemd/system/eventreg.service)"
setpriv --reuid eventreg --regid eventreg --clear-groups \\
  sh -c "umask 0077; cd /srv/eventreg; exec $(sed -n 's/^ExecStart=//p' /etc/systemd/system/eventreg.service)" &
until {python} -c 'import urllib.request as u; print(u.urlopen("http://127.0.0.1:8000/readyz").status)' 2>{own}/said; do
  kill -0 $! || exit 9
  sleep 0.5
done
ls -ld /var/lib/eventreg /var/lib/eventreg/secret_key /var/backups/eventreg/*
cat {own}/recorded
"""


STANDING_IN = {
    # There is no terminal to ask for a password.
    "eventreg organizer add you@example.org --role admin": (
        "echo 'another good sentence' | eventreg organizer add you@example.org --role admin --password-stdin"
    ),
    # There is no network either, which ends the command with status 1.
    "eventreg mail test you@example.org": "eventreg mail test you@example.org && exit 8 || [ $? = 1 ]",
}
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks_of(language: str) -> list[str]:
    """The document's blocks in that language, in order."""
    return [block for name, block in FENCED.findall(DOCUMENT.read_text("utf-8")) if name == language]


def script(own: Path) -> str:
    """The document's blocks with what stands for the network, and the settings put in where the document says so."""
    names = {"own": own, "root": ROOT, "python": sys.executable}
    blocks = blocks_of("sh")
    assert [block for block in blocks if "git clone" in block] == [blocks[0]]
    clone, rest = re.split(r"(?<=/srv/eventreg\n)", blocks[0], maxsplit=1)
    blocks[0] = clone + SHARE_ENVIRONMENT.format(**names) + rest
    blocks[0] += f"cat > /var/lib/eventreg/config.py <<'END'\n{blocks_of('python')[0]}END\n"
    text = "\n" + "\n".join(blocks)
    for said, done in STANDING_IN.items():
        assert text.count(f"\n{said}\n") == 1
        text = text.replace(f"\n{said}\n", f"\n{done}\n")
    return PREPARE.format(**names) + text + SERVE.format(**names)


def test_no_command_stands_outside_the_blocks_that_are_run() -> None:
    command = re.compile(r"^(eventreg|make|git|systemctl|sudo|\S*/bin/)", re.MULTILINE)
    assert [block for block in blocks_of("") if command.search(block) and block[0] != "#"] == []


def test_units_are_sound_and_hardened(tmp_path) -> None:
    needs.require("systemd-analyze")
    folder = tmp_path / "units"
    shutil.copytree(DEPLOY, folder)
    for name in UNITS:  # the program and the account are not on this machine
        text = (folder / name).read_text()
        text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.MULTILINE)
        (folder / name).write_text(re.sub(r"^(User|Group)=.*\n", "", text, flags=re.MULTILINE))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(folder / name for name in UNITS)],
        capture_output=True,
        text=True,
        check=False,
    )
    about_ours = [line for line in done.stderr.splitlines() if "eventreg" in line]
    assert (done.returncode, about_ours) == (0, [])


@pytest.mark.parametrize("unit", [name for name in UNITS if name.endswith(".service")])
def test_unit_is_exposed_little(unit) -> None:
    needs.require("systemd-analyze")
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", DEPLOY / unit], capture_output=True, text=True, check=True
    )
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert found
    assert float(found[1]) < HIGHEST_EXPOSURE


def test_service_starts_again_without_a_limit_and_after_its_database() -> None:
    lines = (DEPLOY / "eventreg.service").read_text().splitlines()
    assert {"StartLimitIntervalSec=0", "Restart=always", "RestartSec=5"} <= set(lines)
    assert "After=network-online.target postgresql.service" in lines


def test_nginx_takes_the_configuration(tmp_path) -> None:
    needs.require("nginx")
    needs.require("openssl")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x"]
    subprocess.run([*make, "-keyout", key, "-out", certificate], capture_output=True, check=True)
    text = (DEPLOY / "nginx.conf").read_text()
    text = re.sub(r"ssl_certificate \S+;", f"ssl_certificate {certificate};", text)
    text = re.sub(r"ssl_certificate_key \S+;", f"ssl_certificate_key {key};", text)
    whole = tmp_path / "nginx.conf"
    whole.write_text(f"pid {tmp_path}/pid; error_log stderr; events {{}} http {{ access_log off; {text} }}")
    done = subprocess.run(["nginx", "-t", "-c", whole], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_caddy_takes_the_configuration() -> None:
    needs.require("caddy")
    done = subprocess.run(
        ["caddy", "validate", "--config", DEPLOY / "Caddyfile", "--adapter", "caddyfile"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr

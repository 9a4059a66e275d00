"""Writers of one SQLite file take turns, and a stuck one costs patience and nothing more."""

import re
import subprocess
import sys
import threading
import time

from eventreg import turns
from eventreg.turns import line, turn

COUNT = """
import sys, time
from pathlib import Path
from eventreg import turns
from eventreg.turns import line, turn
counter = Path(sys.argv[1])
for _ in range(200):
    with turn(Path(sys.argv[2]), patience=30):
        number = int(counter.read_text())
        time.sleep(0.0002)
        counter.write_text(str(number + 1))
"""


def test_processes_and_threads_never_have_their_turn_together(tmp_path) -> None:
    counter, database = tmp_path / "counter", tmp_path / "x.db"
    counter.write_text("0")
    programs = [subprocess.Popen([sys.executable, "-c", COUNT, str(counter), str(database)]) for _ in range(2)]

    def count() -> None:
        for _ in range(100):
            with turn(database, patience=30):
                number = int(counter.read_text())
                time.sleep(0.0002)
                counter.write_text(str(number + 1))

    threads = [threading.Thread(target=count) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [program.wait(timeout=600) for program in programs] == [0, 0]
    assert counter.read_text() == "600"


GREEDY = """
import sys, time
from pathlib import Path
from eventreg import turns
from eventreg.turns import line, turn
log, until = open(sys.argv[1], "a"), time.monotonic() + 1.5
while time.monotonic() < until:
    with turn(Path(sys.argv[2]), patience=30):
        time.sleep(0.002)
        log.write(sys.argv[3])
        log.flush()
"""


def test_two_processes_that_always_want_a_turn_alternate(tmp_path) -> None:
    log = tmp_path / "log"
    programs = [
        subprocess.Popen([sys.executable, "-c", GREEDY, str(log), str(tmp_path / "x.db"), name]) for name in "ab"
    ]
    assert [program.wait(timeout=600) for program in programs] == [0, 0]
    both = log.read_text().lstrip(log.read_text()[0]).rstrip(log.read_text()[-1])
    assert max(len(run.group()) for run in re.finditer("a+|b+", both)) < 50


def test_whoever_waits_too_long_goes_on(tmp_path) -> None:
    database = tmp_path / "x.db"
    taken, done = threading.Event(), threading.Event()

    def stay() -> None:
        with turn(database, patience=1):
            taken.set()
            done.wait(30)

    thread = threading.Thread(target=stay)
    thread.start()
    taken.wait(30)
    with turn(database, patience=0.05):
        done.set()
    thread.join()
    with turn(database, patience=0.05):
        pass


def test_folder_that_cannot_be_written_is_left_to_sqlite(tmp_path) -> None:
    with turn(tmp_path / "no" / "such" / "folder.db", patience=0.05):
        pass


def test_threads_in_line_go_in_the_order_they_came(tmp_path) -> None:
    database, went = tmp_path / "x.db", list[int]()

    def go(number: int) -> None:
        with line(database, patience=30):
            went.append(number)

    threads = [threading.Thread(target=go, args=(number,)) for number in range(20)]
    with line(database, patience=30):
        for number, thread in enumerate(threads, start=1):
            thread.start()
            while len(turns._line_for(database)._waiting) < number:
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert went == list(range(20))


def test_whoever_is_in_line_too_long_goes_on_and_the_next_one_still_gets_in(tmp_path) -> None:
    database = tmp_path / "x.db"
    impatient = threading.Thread(target=lambda: line(database, patience=0.05).__enter__())
    with line(database, patience=1):
        impatient.start()
        impatient.join()
    with line(database, patience=0):
        assert turns._line_for(database)._is_held
    assert not turns._line_for(database)._is_held

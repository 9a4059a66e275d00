"""One person in a hurry, as a process of their own: `python rusher.py FORM-ADDRESS BEGIN PEOPLE…`.

Opens the form, waits for the moment BEGIN (seconds since the epoch), sends it, prints the status and the sentence.
Only the standard library, so that fifty of them start quickly.
"""

import http.cookiejar
import json
import re
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request


def answer(address: str, begin: float, email: str, results: list[tuple[int, str, float]]) -> None:
    jar = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    page = opener.open(address, timeout=600).read().decode()
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token
    fields = {"csrf_token": token[1], "name": email, "email": email, "rsvp": "yes", "party_size": "1"}
    body = urllib.parse.urlencode(fields).encode()
    time.sleep(max(0.0, begin - time.time()))
    started = time.monotonic()
    try:
        with opener.open(address, body, timeout=600) as response:
            status, text = response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read().decode()
    heading = re.search(r"<h1[^>]*>(.*?)</h1>", text, re.DOTALL)
    results.append((status, heading[1].strip() if heading else text[:200], time.monotonic() - started))


def main() -> None:
    address, begin, people = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
    results: list[tuple[int, str, float]] = []
    threads = [threading.Thread(target=answer, args=(address, begin, one, results)) for one in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.stdout.write(json.dumps(results))


if __name__ == "__main__":
    main()

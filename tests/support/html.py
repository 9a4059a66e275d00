"""Reading pages as a browser without JavaScript would: links, and forms that are filled in by field name.

A form is sent with everything it holds (hidden fields, defaults, the button), so a renamed or forgotten field
is noticed; a field or a choice that the page does not offer cannot be set.
"""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

VOID = {"input", "img", "br", "hr", "meta", "link", "source", "wbr", "area", "base", "col", "embed", "track"}
SKIPPED = {"script", "style", "template", "title"}
Attributes = dict[str, str]


@dataclass
class Control:
    """One control of a form, as the page offers it."""

    tag: str
    attributes: Attributes
    value: str = ""
    options: list[tuple[str, bool]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.attributes.get("name", "")

    @property
    def kind(self) -> str:
        return self.attributes.get("type", "text").lower() if self.tag == "input" else self.tag


@dataclass
class Form:
    """A form of a page, to be filled in and sent."""

    attributes: Attributes
    controls: list[Control] = field(default_factory=list)
    _chosen: dict[str, list[str]] = field(default_factory=dict)

    @property
    def action(self) -> str:
        return self.attributes.get("action", "")

    @property
    def method(self) -> str:
        return self.attributes.get("method", "get").lower()

    def named(self, name: str) -> list[Control]:
        """The controls of that name; fails when the form has none."""
        found = [one for one in self.controls if one.name == name and "disabled" not in one.attributes]
        assert found, f"the form has no field {name!r}; it has {self.names}"
        return found

    @property
    def names(self) -> list[str]:
        return list(dict.fromkeys(one.name for one in self.controls if one.name))

    def set(self, **values: str | list[str]) -> "Form":
        """Fills fields in; a dash in a field's name is written as two underscores here (`q__3` is `q-3`)."""
        for key, value in values.items():
            self.fill(key.replace("__", "-"), value)
        return self

    def fill(self, name: str, value: str | list[str]) -> "Form":
        """Sets one field: text, or the value(s) of the choices to pick; [] unticks."""
        values = [value] if isinstance(value, str) else list(value)
        for one in self.named(name):
            assert "readonly" not in one.attributes, f"{name!r} is read-only"
        offered = self._choices(name)
        if offered is not None:
            strange = [one for one in values if one not in offered]
            assert not strange, f"{name!r} does not offer {strange}; it offers {offered}"
        self._chosen[name] = values
        return self

    def _choices(self, name: str) -> list[str] | None:
        first = self.named(name)[0]
        if first.kind in {"radio", "checkbox"}:
            return [one.attributes.get("value", "on") for one in self.named(name)]
        return [value for value, _ in first.options] if first.kind == "select" else None

    def data(self, button: str | None = None) -> list[tuple[str, str]]:
        """What a browser would send, in order; `button` is the name=value or text of the one pressed."""
        pairs: list[tuple[str, str]] = []
        sent: set[str] = set()
        for one in self.controls:
            if not one.name or "disabled" in one.attributes or one.kind in {"submit", "button", "reset", "image"}:
                continue
            if one.name in self._chosen:
                if one.name not in sent:
                    pairs += [(one.name, value) for value in self._chosen[one.name]]
                    sent.add(one.name)
            elif one.kind == "select":
                pairs += [(one.name, value) for value in _selected(one)]
            elif one.kind in {"radio", "checkbox"}:
                if "checked" in one.attributes:
                    pairs.append((one.name, one.attributes.get("value", "on")))
            elif one.kind != "file":
                pairs.append((one.name, one.value))
        return pairs + self._pressed(button)

    def _pressed(self, button: str | None) -> list[tuple[str, str]]:
        buttons = [one for one in self.controls if one.kind in {"submit", "image"} or _submits(one)]
        if button is not None:
            buttons = [one for one in buttons if button in {one.name, one.value, one.attributes.get("value")}]
            assert buttons, f"the form has no button {button!r}"
        return [(one.name, one.attributes.get("value", "")) for one in buttons[:1] if one.name]


def _submits(control: Control) -> bool:
    return control.tag == "button" and control.attributes.get("type", "submit") == "submit"


def _selected(control: Control) -> list[str]:
    chosen = [value for value, selected in control.options if selected]
    if chosen or "multiple" in control.attributes:
        return chosen
    return [value for value, _ in control.options[:1]]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self.links: list[tuple[str, str]] = []
        self.text: list[str] = []
        self.title = ""
        self.by_id: dict[str, Form] = {}
        self.later: list[tuple[str, Control]] = []
        self._form: Form | None = None
        self._control: Control | None = None
        self._link: list[str] | None = None
        self._option: bool = False
        self._skipped = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag in SKIPPED:
            self._skipped = tag
        if tag == "form":
            assert self._form is None, "a form inside a form"
            self._form = Form(attributes)
            self.forms.append(self._form)
            if "id" in attributes:
                self.by_id[attributes["id"]] = self._form
        elif tag == "a" and "href" in attributes:
            self._link = [attributes["href"], ""]
        elif tag in {"input", "select", "textarea", "button"}:
            self._add(Control(tag, attributes, attributes.get("value", "") if tag == "input" else ""))
        elif tag == "option" and self._control is not None:
            self._control.options.append((attributes.get("value", "\0"), "selected" in attributes))
            self._option = True

    def _add(self, control: Control) -> None:
        if "form" in control.attributes:
            self.later.append((control.attributes["form"], control))
        elif self._form is not None:
            self._form.controls.append(control)
        self._control = control if control.tag != "input" else None

    def handle_endtag(self, tag: str) -> None:
        if tag == self._skipped:
            self._skipped = ""
        if tag == "form":
            self._form = None
        elif tag == "a" and self._link is not None:
            self.links.append((self._link[0], " ".join(self._link[1].split())))
            self._link = None
        elif tag == "textarea" and self._control is not None:
            self._control.value = self._control.value.replace("\r\n", "\n").removeprefix("\n")
            self._control = None
        elif tag == "button" and self._control is not None:
            self._control.value = " ".join(self._control.value.split())
            self._control = None
        elif tag == "select":
            self._control = None
            self._option = False
        elif tag == "option":
            self._option = False

    def handle_data(self, data: str) -> None:
        if self._skipped:
            self.title += data if self._skipped == "title" else ""
            return
        if self._control is not None:
            if self._option:
                value, selected = self._control.options[-1]
                self._control.options[-1] = (data.strip() if value == "\0" else value, selected)
            elif self._control.tag in {"textarea", "button"}:
                self._control.value += data
        if self._link is not None:
            self._link[1] += data
        self.text.append(data)


class Page:
    """A page that was answered: its words, links and forms."""

    def __init__(self, html: str, address: str = "/") -> None:
        reader = _Reader()
        reader.feed(html)
        reader.close()
        for identifier, control in reader.later:
            reader.by_id[identifier].controls.append(control)
        self.html = html
        self.address = address
        self.forms = reader.forms
        self.links = reader.links
        self.title = " ".join(reader.title.split())
        self.text = " ".join("".join(reader.text).split())

    @classmethod
    def of(cls, response: Any) -> "Page":
        """The page of a test client's response."""
        address = response.request.path if getattr(response, "request", None) is not None else "/"
        return cls(response.get_data(as_text=True), address)

    def link(self, text: str) -> str:
        """The address behind the first link that shows this text."""
        found = [href for href, shown in self.links if text.lower() in shown.lower()]
        assert found, f"no link {text!r}; there are {self.links}"
        return urljoin(self.address, found[0])

    def form(self, *names: str, action: str = "") -> Form:
        """The one form with these fields whose action ends so."""
        found = [
            one for one in self.forms if set(names) <= set(one.names) and one.action.split("?")[0].endswith(action)
        ]
        assert len(found) == 1, f"{len(found)} forms with {names} {action!r} among {[f.names for f in self.forms]}"
        return found[0]

    def submit(self, client: Any, form: Form, *, button: str | None = None, **options: Any) -> Any:
        """Sends the form as a browser would; the client's response."""
        target = urljoin(self.address, form.action or self.address)
        data = form.data(button)
        if form.method == "get":
            return client.get(target, query_string=data, **options)
        grouped: dict[str, Any] = {}
        for name, value in data:
            grouped.setdefault(name, []).append(value)
        return client.post(target, data=grouped, **options)


def csrf(html: str) -> str:
    """The CSRF token of the page's first form that has one."""
    tokens = [one.value for form in Page(html).forms for one in form.controls if one.name == "csrf_token"]
    assert tokens, "the page has no csrf_token"
    return tokens[0]

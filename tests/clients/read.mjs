// Reads each named file with ical.js, Thunderbird's and Nextcloud's parser. Prints what it found as JSON, one object
// a file; exits 1 when ical.js refused one.
import { readFileSync } from "node:fs";
import ICAL from "ical.js";

const utf8 = new TextDecoder("utf-8", { fatal: true });

function entry(component) {
  const event = new ICAL.Event(component);
  return {
    uid: event.uid,
    summary: event.summary,
    start: event.startDate.toICALString(),
    end: event.endDate.toICALString(),
    location: event.location,
    description: event.description,
    sequence: event.sequence,
    status: component.getFirstPropertyValue("status"),
    organizer: event.organizer,
    attendees: event.attendees.map((one) => [one.getFirstValue(), one.getParameter("cn"), one.getParameter("partstat")]),
  };
}

function read(path) {
  const calendar = new ICAL.Component(ICAL.parse(utf8.decode(readFileSync(path))));
  if (calendar.name !== "vcalendar") throw new Error(`it is a ${calendar.name}`);
  for (const name of ["prodid", "version"]) {
    if (!calendar.getFirstPropertyValue(name)) throw new Error(`it has no ${name}`);
  }
  return {
    method: calendar.getFirstPropertyValue("method"),
    events: calendar.getAllSubcomponents("vevent").map(entry),
  };
}

function tried(path) {
  try {
    return read(path);
  } catch (error) {
    return { error: String(error) };
  }
}

const found = process.argv.slice(2).map(tried);
console.log(JSON.stringify(found));
process.exitCode = found.some((one) => "error" in one) ? 1 : 0;

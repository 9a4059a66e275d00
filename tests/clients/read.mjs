// Reads each named file with ical.js and prints what it found as JSON; exits 1 on what ical.js refuses.
import { readFileSync } from "node:fs";
import ICAL from "ical.js";

function moment(time) {
  return time.isDate ? time.toString() : time.toJSDate().toISOString();
}

function entry(component) {
  const event = new ICAL.Event(component);
  return {
    uid: event.uid,
    summary: event.summary,
    start: moment(event.startDate),
    end: moment(event.endDate),
    location: event.location,
    description: event.description,
    sequence: event.sequence,
    status: component.getFirstPropertyValue("status"),
    organizer: event.organizer,
    attendees: event.attendees.map((one) => [one.getFirstValue(), one.getParameter("cn"), one.getParameter("partstat")]),
  };
}

function read(path) {
  const calendar = new ICAL.Component(ICAL.parse(readFileSync(path, "utf8")));
  if (calendar.name !== "vcalendar") throw new Error(`${path} holds a ${calendar.name}`);
  for (const name of ["prodid", "version"]) {
    if (!calendar.getFirstPropertyValue(name)) throw new Error(`${path} has no ${name}`);
  }
  return {
    method: calendar.getFirstPropertyValue("method"),
    name: calendar.getFirstPropertyValue("name"),
    events: calendar.getAllSubcomponents("vevent").map(entry),
  };
}

try {
  console.log(JSON.stringify(process.argv.slice(2).map(read)));
} catch (error) {
  console.error(String(error));
  process.exit(1);
}

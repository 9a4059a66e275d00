// Small comforts. Every page works without them.
(() => {
  "use strict";

  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const language = document.documentElement.lang || undefined;

  const wall = (moment, timeZone) =>
    new Intl.DateTimeFormat("en-CA", {
      timeZone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit",
    }).format(moment);

  // “Your time” is added, never put in place of the event's own.
  for (const time of document.querySelectorAll("time[data-your-time]")) {
    const starts = new Date(time.dataset.starts);
    const ends = new Date(time.dataset.ends);
    try {
      if (wall(starts, here) === wall(starts, time.dataset.zone)) continue;
      const width = time.dataset.style;
      const words = new Intl.DateTimeFormat(language, {
        weekday: width, month: width, day: "numeric", hour: "numeric", minute: "2-digit", timeZoneName: "short",
        ...(width === "long" && { year: "numeric" }),
      }).formatRange(starts, ends);
      const line = document.createElement("span");
      line.className = "your-time";
      line.textContent = time.dataset.yourTime.replace("{time}", words);
      // In a row the place follows the time on its line; “your time” comes below both.
      if (width === "short") time.parentElement.append(line);
      else time.after(line);
    } catch {
      // A zone this browser does not know: the event's own time stands.
    }
  }

  // Copy buttons are hidden until there is a script to serve them.
  for (const button of document.querySelectorAll("button[data-copy]")) {
    const source = document.getElementById(button.dataset.copy);
    if (!source) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      source.select();
      try {
        await navigator.clipboard.writeText(source.value);
      } catch {
        document.execCommand("copy");
      }
      const words = button.querySelector("[data-copied]");
      const before = words.textContent;
      words.textContent = words.dataset.copied;
      setTimeout(() => { words.textContent = before; }, 2500);
    });
  }

  // The RSVP button says what it will do.
  for (const button of document.querySelectorAll("button[data-submit-label]")) {
    const form = button.form;
    const say = () => {
      const rsvp = form.elements.rsvp ? form.elements.rsvp.value : "yes";
      const number = form.elements.party_size ? Number(form.elements.party_size.value) : 1;
      const { label, labelMany, labelOther } = button.dataset;
      button.textContent = rsvp && rsvp !== "yes" ? labelOther : number > 1 ? labelMany.replace("{number}", number) : label;
    };
    form.addEventListener("input", say);
    say();
  }

  const summary = document.getElementById("error-summary");
  if (summary) summary.focus();
})();

/** Builds the page's parts. Text is always text: nothing that comes from data is read as HTML. */

/** An element with attributes and children; children that are no nodes become text. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) made.setAttribute(key, String(value));
  }
  made.append(...children.map((child) => child instanceof Node ? child : String(child ?? "")));
  return made;
}

export function setText(id, text) {
  const target = document.getElementById(id);
  if (target.textContent !== text) target.textContent = text;
}

/** A table: `columns` of `{ name, label, kind, show }`, `kind` is `number` or a class of its own. */
export function table(caption, columns, rows) {
  if (rows.length === 0) return element("p", { class: "empty" }, "None in this period.");
  const head = columns.map(({ label, kind }) =>
    element("th", { scope: "col", class: kind }, label)
  );
  const body = rows.map((row) =>
    element(
      "tr",
      {},
      ...columns.map(({ name, kind, show = (value) => value ?? "–" }) =>
        element("td", { class: kind }, show(row[name], row))
      ),
    )
  );
  return element(
    "table",
    {},
    element("caption", {}, caption),
    element("thead", {}, element("tr", {}, ...head)),
    element("tbody", {}, ...body),
  );
}

/** A line a row, each with its value and a bar. */
export function bars(rows, { name, value, show = count }) {
  if (rows.length === 0) return [element("p", { class: "empty" }, "None in this period.")];
  const largest = Math.max(...rows.map((row) => Number(row[value])), 1e-9);
  return rows.map((row) =>
    element(
      "div",
      { class: "bar-line" },
      element("span", { class: "bar-name" }, name(row)),
      element("span", {}, show(row[value])),
      element("progress", { max: largest, value: Number(row[value]), "aria-label": name(row) }),
    )
  );
}

/** Keeps what has the focus or is opened: children are only replaced where they differ. */
export function replaceChildren(target, ...children) {
  const wrapper = document.createElement("div");
  wrapper.append(...children);
  if (wrapper.innerHTML !== target.innerHTML) target.replaceChildren(...wrapper.childNodes);
}

export function count(value) {
  return Math.round(Number(value)).toLocaleString("en-US");
}

export function money(value) {
  return Number(value).toLocaleString("en-US", {
    minimumFractionDigits: 2,
    maximumFractionDigits: 2,
  });
}

export function milliseconds(value) {
  const ms = Number(value);
  if (ms < 1_000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  return ms < 120_000 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`;
}

/** How long ago: `3 s`, `5 min`, `2 h`, `4 d`. */
export function age(time, now = Date.now()) {
  const seconds = Math.max(0, Math.round((now - new Date(time).getTime()) / 1_000));
  if (seconds < 100) return `${seconds} s ago`;
  if (seconds < 6_000) return `${Math.round(seconds / 60)} min ago`;
  return seconds < 172_800
    ? `${Math.round(seconds / 3_600)} h ago`
    : `${Math.round(seconds / 86_400)} d ago`;
}

export function clock(time) {
  return new Date(time).toISOString().slice(11, 19) + " UTC";
}

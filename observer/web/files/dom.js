// Elements, made of text alone: what comes from the cluster is never markup.

// el("td", {class: "number", title: "..."}, "text", element, ...)
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== null && value !== false)
      made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// Touches the page only where something changed, so that selections and focus stay.
export function set_text(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
export function set_attribute(element, name, value) {
  if (value === undefined || value === null) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
  } else if (element.getAttribute(name) !== value) {
    element.setAttribute(name, value);
  }
}

// What a colour of page.css is in the theme that is on, for canvases.
const dark = matchMedia("(prefers-color-scheme: dark)"),
  colours = new Map();
export function colour(name) {
  const key = `${document.documentElement.dataset.theme} ${dark.matches} ${name}`;
  if (!colours.has(key)) colours.set(key, computed_colour(name));
  return colours.get(key);
}
function computed_colour(name) {
  const probe =
    document.getElementById("probe") ?? document.body.appendChild(el("i", {id: "probe", hidden: true}));
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}

// A canvas as sharp as the screen; gives its context and size in CSS pixels.
export function fit_canvas(canvas, height) {
  const width = canvas.parentElement.clientWidth,
    scale = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  return {context, width};
}

// The keyboard: everything can be done with it. The list below is also what the help shows.

const slices = (steps) => (viewer) => viewer.step(steps);
const nudge = (right, down) => (viewer, event, surface) => {
  const far = event.altKey ? 10 : 1;
  viewer.nudge(surface, right * far, down * far);
};

const placeAtCross = (viewer, event, surface) => {
  const spot = viewer.crossSpot();
  if (spot === null) viewer.nudge(surface, 0, 0); // there is no cross yet: show it
  else if (viewer.sees(spot)) viewer.landmarks.placeAt(spot);
};

const zoom = (factor) => (viewer, event, surface) => surface.zoom(factor);

/** The surface that the keys are about: the plane that has the focus, else the slice. */
function surfaceOf(viewer, target) {
  const plane = target.closest("[data-plane]")?.dataset.plane;
  return plane === undefined ? viewer.front : viewer.across.planes[plane];
}

/** [keys as shown, what they do, {key as the browser names it: action}] */
export const KEYS = [
  ["↓ ↑", "next, previous slice", { ArrowDown: slices(1), ArrowUp: slices(-1), ArrowRight: slices(1), ArrowLeft: slices(-1) }],
  ["Page ↓ ↑", "ten slices on, back", { PageDown: slices(10), PageUp: slices(-10) }],
  ["Home, End", "first, last slice", { Home: (viewer) => viewer.goTo(0), End: (viewer) => viewer.goTo(Infinity) }],
  [
    "Shift + arrows",
    "move the cross by a few screen pixels (the larger the image is shown, the smaller the step in it); with Alt ten times as far",
    { "S+ArrowLeft": nudge(-1, 0), "S+ArrowRight": nudge(1, 0), "S+ArrowUp": nudge(0, -1), "S+ArrowDown": nudge(0, 1) },
  ],
  ["Enter", "place the next landmark at the cross", { Enter: placeAtCross }],
  ["M", "move the chosen landmark to the cross", { m: (viewer) => viewer.landmarks.moveToCursor() }],
  ["N, P", "choose the next, previous landmark", { n: (viewer) => viewer.stepLandmark(1), p: (viewer) => viewer.stepLandmark(-1) }],
  ["C, F", "draw a curve, finish it", { c: (viewer) => viewer.drawing.begin(), f: (viewer) => viewer.drawing.finish() }],
  ["Delete", "remove the chosen landmark", { Delete: (viewer) => viewer.landmarks.remove(), Backspace: (viewer) => viewer.landmarks.remove() }],
  [
    "Ctrl + Z, Y",
    "undo, redo",
    {
      "C+z": (viewer) => viewer.landmarks.undo(),
      "C+y": (viewer) => viewer.landmarks.redo(),
      "C+S+z": (viewer) => viewer.landmarks.redo(),
    },
  ],
  ["+ −", "zoom in, out, in the plane that has the focus", { "+": zoom(1.25), "=": zoom(1.25), "-": zoom(0.8) }],
  ["0, 1", "whole image, one PNG pixel to one screen pixel", { 0: (viewer, event, surface) => surface.fit(), 1: (viewer) => viewer.zoomToActual() }],
  ["T", "three planes, or the slice alone", { t: (viewer) => viewer.toggleThree() }],
  ["G", "magnifier at the pointer", { g: (viewer) => viewer.toggleMagnifier() }],
  [
    "[ ], { }",
    "level down, up; window narrower, wider",
    {
      "[": (viewer) => viewer.changeWindow(-1 / 128, 1),
      "]": (viewer) => viewer.changeWindow(1 / 128, 1),
      "{": (viewer) => viewer.changeWindow(0, 0.9),
      "}": (viewer) => viewer.changeWindow(0, 1 / 0.9),
    },
  ],
  ["A, R, I", "contrast: automatic, as when opened, inverted", { a: (viewer) => viewer.automaticWindow(), r: (viewer) => viewer.resetWindow(), i: (viewer) => viewer.invert() }],
  ["L", "millimetres as LPS or RAS", { l: (viewer) => viewer.setSpace(viewer.state.space === "LPS" ? "RAS" : "LPS") }],
  ["?", "this help", { "?": (viewer) => viewer.set({ help: true }) }],
  ["Esc", "choose no landmark, stop drawing, close the message", { Escape: (viewer) => viewer.set({ selected: null, drawing: null, drag: null, message: null }) }],
];

const leave = (where) => (viewer) => viewer.saving?.leave(viewer.server.around[where]);

/** Those of a served page among several specimens. */
export const SPECIMEN_KEYS = [
  [", .", "previous, next specimen", { ",": leave("before"), ".": leave("after") }],
  ["S", "list of specimens", { s: leave("list") }],
];

const ACTIONS = new Map([...KEYS, ...SPECIMEN_KEYS].flatMap(([, , actions]) => Object.entries(actions)));

/** Act on a key unless it belongs to the control that has the focus. */
export function onKey(viewer, event) {
  if (event.defaultPrevented || viewer.state.help || !viewer.state.view || keptByControl(event)) return;
  const action = ACTIONS.get(nameOf(event));
  if (!action) return;
  event.preventDefault();
  action(viewer, event, surfaceOf(viewer, event.target));
}

function nameOf(event) {
  const arrow = event.key.startsWith("Arrow");
  const control = event.ctrlKey || event.metaKey;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  return `${control ? "C+" : ""}${event.shiftKey && (arrow || control) ? "S+" : ""}${key}`;
}

function keptByControl(event) {
  const { target } = event;
  if (target.matches("input:not([type=range], [type=checkbox]), select, textarea")) return true;
  if (target.matches("input[type=range]")) return /^(Arrow|Page|Home|End)/.test(event.key) && !event.shiftKey;
  return target.matches("button, a, summary, input[type=checkbox]") && /^(Enter| )$/.test(event.key);
}

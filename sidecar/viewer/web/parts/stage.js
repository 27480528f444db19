// The image, the marks on it, and what frames it: letters, scale bar, slice, zoom.

import { filterMatrix } from "../geometry/contrast.js";
import { Gestures } from "./gestures.js";
import { Magnifier } from "./magnifier.js";
import { lengthText } from "./text.js";
import { html, useLayoutEffect, useRef } from "./preact.js";
import { scaleBar, toImage, toScreen, zoomOf } from "../geometry/view.js";
import { CurveMarks } from "./curveviews.js";
import { shownOn, spotOf } from "../labels/work.js";
import { Coarse } from "./zoomlist.js";

/** Above this many screen pixels per PNG pixel they are shown as the squares they are. */
export const SMOOTH_UP_TO = 2.5;

export function Stage({ viewer, state }) {
  const element = useRef(null);
  useLayoutEffect(() => {
    const stage = element.current;
    const measure = () => {
      const { width, height } = stage.getBoundingClientRect();
      viewer.resize({ width, height });
    };
    new Gestures(viewer.front, stage);
    new ResizeObserver(measure).observe(stage);
    measure();
  }, []);
  return html`
    <div
      id="stage"
      class="stage"
      ref=${element}
      tabindex="0"
      role="application"
      aria-label="Image. Arrow keys change the slice, Shift and arrow keys move the cross, Enter places a landmark, question mark shows all keys."
      aria-describedby="readout"
    >
      ${state.view &&
      html`
        <${Picture} viewer=${viewer} state=${state} />
        <${Marks} viewer=${viewer} state=${state} />
        <${Frame} viewer=${viewer} state=${state} />
      `}
    </div>
  `;
}

function Picture({ viewer, state }) {
  const canvas = useRef(null);
  const ratio = globalThis.devicePixelRatio;
  useLayoutEffect(() => {
    const context = fitted(canvas.current, state.stage, ratio);
    drawSlice(context, viewer, state.stage, state.view, ratio);
  }, [state.image, state.view, state.stage, ratio]);
  const matrix = filterMatrix({ ...state.window }, viewer.units.largest, viewer.page.split);
  // A filter whose name changes with it is drawn anew in every browser.
  const name = `contrast${matrix.replace(/[^0-9]/g, "_")}`;
  return html`
    <svg class="filters" aria-hidden="true">
      <filter id=${name} x="0" y="0" width="1" height="1" color-interpolation-filters="sRGB">
        <feColorMatrix type="matrix" values=${matrix} />
      </filter>
    </svg>
    <canvas ref=${canvas} style=${{ filter: `url(#${name})` }} />
    <${Magnifier}
      surface=${viewer.front}
      state=${state}
      filter=${`url(#${name})`}
      zoom=${zoomOf(state.view, viewer.looks.pixelAspect)[0]}
      draw=${(context, size, times) => drawSlice(context, viewer, size, { scale: state.view.scale * times, x: state.cursor[0], y: state.cursor[1] }, ratio)}
    />
  `;
}

/** The context of a canvas whose pixels are those of the screen, as large as `size` says. */
export function fitted(canvas, size, ratio) {
  canvas.width = Math.ceil(size.width * ratio);
  canvas.height = Math.ceil(size.height * ratio);
  canvas.style.width = `${canvas.width / ratio}px`;
  canvas.style.height = `${canvas.height / ratio}px`;
  return canvas.getContext("2d");
}

/** Draw the part of the slice that a view shows on a canvas of `size`. */
function drawSlice(context, viewer, size, view, ratio) {
  const { image } = viewer.state;
  if (!image) return;
  const [columns, rows] = viewer.mapping.size;
  const aspect = viewer.looks.pixelAspect;
  const [left, top] = toImage(view, aspect, size, [0, 0]).map((edge) => Math.max(Math.floor(edge - 0.5), 0));
  const [right, bottom] = toImage(view, aspect, size, [size.width, size.height]).map((edge, i) => Math.min(Math.ceil(edge + 1.5), [columns, rows][i]));
  if (right <= left || bottom <= top) return;
  const [zoomX, zoomY] = zoomOf(view, aspect).map((zoom) => zoom * ratio);
  const [x, y] = toScreen(view, aspect, size, [left - 0.5, top - 0.5]).map((edge) => edge * ratio);
  const smallest = Math.min(zoomX, zoomY);
  // The two halves of a 16-bit value only belong together pixel by pixel, so they are smoothed only where it is needed to see all.
  context.imageSmoothingEnabled = viewer.page.split ? smallest < 1 : smallest < SMOOTH_UP_TO;
  context.imageSmoothingQuality = "high";
  context.drawImage(image, left, top, right - left, bottom - top, x, y, (right - left) * zoomX, (bottom - top) * zoomY);
}

function Marks({ viewer, state }) {
  const cross = state.image && (state.three ? state.point : state.byKeys && state.cursor);
  return html`
    <svg class="marks" width=${state.stage.width} height=${state.stage.height} aria-hidden="true">
      ${viewer.coarse && state.image && html`<${Coarse} viewer=${viewer} shown=${state.shown} />`}
      <${Measure} viewer=${viewer} state=${state} />
      ${state.image && html`<${CurveMarks} viewer=${viewer} state=${state} />`}
      <${MarksOn} surface=${viewer.front} state=${state} />
      ${cross && html`<${Cross} at=${viewer.toScreen(cross)} size=${state.stage} byKeys=${state.byKeys} />`}
    </svg>
  `;
}

/** The landmarks that a surface shows. */
export function MarksOn({ surface, state }) {
  const placed = state.items.filter((item) => surface.isOn(item));
  return placed.map((item) => html`<${Mark} key=${item.id} surface=${surface} state=${state} item=${item} />`);
}

function Mark({ surface, state, item }) {
  const drag = state.drag?.id === item.id ? state.drag : null;
  const [x, y] = surface.toScreen(spotOf(drag ?? item));
  const kind = ["mark", item.id === state.selected && "chosen", drag && "carried", !Number.isInteger(item.slice) && "between"];
  return html`
    <g class=${kind.filter(Boolean).join(" ")} transform=${`translate(${x} ${y})`}>
      <path class="halo" d=${MARK} />
      <path d=${MARK} />
      <text x="12" y="-9">${item.label || "unnamed"}</text>
    </g>
  `;
}

const MARK = "M-7 0a7 7 0 1 0 14 0a7 7 0 1 0 -14 0M-11 0h7M4 0h7M0 -11v7M0 4v7";

/** Lines through a screen point, across all of a surface; where the keys move them they are easier to see. */
export function Cross({ at: [x, y], size, byKeys }) {
  const path = `M0 ${y}H${x - 6}M${x + 6} ${y}H${size.width}M${x} 0V${y - 6}M${x} ${y + 6}V${size.height}`;
  return html`<g class=${byKeys ? "cross" : "cross quiet"}><path class="halo" d=${path} /><path d=${path} /></g>`;
}

/** The line between two landmarks whose distance is shown; it is broken where it leaves the slice. */
function Measure({ viewer, state }) {
  const distance = viewer.landmarks.distance();
  if (!distance || !state.image) return null;
  const { ends } = distance;
  const within = ends.map((item) => shownOn(item) === state.shown);
  if (!within.some(Boolean)) return null;
  const [from, to] = ends.map((item) => viewer.toScreen(state.drag?.id === item.id ? [state.drag.x, state.drag.y] : [item.x, item.y]));
  const path = `M${from.join(" ")}L${to.join(" ")}`;
  return html`
    <g class=${within.every(Boolean) ? "measure" : "measure leaving"}>
      <path class="halo" d=${path} />
      <path d=${path} />
      <text x=${(from[0] + to[0]) / 2} y=${(from[1] + to[1]) / 2 + 19} text-anchor="middle">${lengthText(distance, viewer.looks.pixelWidth)}</text>
    </g>
  `;
}

function Frame({ viewer, state }) {
  const slice = state.shown ?? state.wanted;
  const [right, down] = viewer.looks.directionsOf(slice);
  const bar = scaleBar(viewer.perScreenPixel());
  const behind = state.shown !== state.wanted;
  return html`
    <${Sides} viewer=${viewer} space=${state.space} right=${right} down=${down} />
    <div class="corner upper left"><bdi>${viewer.names[slice]}</bdi>${behind && html`<span class="loading">loading ${state.wanted}…</span>`}</div>
    <${Hint} viewer=${viewer} />
    <div class="corner lower left scale" style=${{ width: `${bar.pixels}px` }} data-length=${bar.length}>
      ${+bar.length.toPrecision(6)} ${viewer.looks.unit}
    </div>
    ${state.failure && html`<p class="failure" role="alert">${state.failure}</p>`}
  `;
}

/** What the sides of a picture are called; null is a direction that is not known. */
export function Sides({ viewer, space, right, down }) {
  const opposite = (direction) => direction.map((part) => -part);
  const namesOf = (direction) => viewer.subject.sideNames(direction, space);
  return html`
    ${right && html`<${Letters} side="right" names=${namesOf(right)} /><${Letters} side="left" names=${namesOf(opposite(right))} />`}
    ${down && html`<${Letters} side="bottom" names=${namesOf(down)} /><${Letters} side="top" names=${namesOf(opposite(down))} />`}
  `;
}

function Letters({ side, names: [main, ...rest] }) {
  return html`<div class=${`letters ${side}`} title=${`${side} of the image`}>${main}<small>${rest.join("")}</small></div>`;
}

/** What a click does now. */
function Hint({ viewer }) {
  const next = viewer.landmarks.next();
  const drawn = viewer.drawing.item;
  if (drawn) return html`<div class="corner upper right hint">click to add to <b><bdi>${drawn.label}</bdi></b>, F to finish</div>`;
  return html`
    <div class="corner upper right hint">${next ? html`click to place <b><bdi>${next.label || "unnamed"}</bdi></b>` : "click to place a landmark"}</div>
  `;
}

// Curves on the page: on the image, and what can be set of them in the list.

import { html } from "./preact.js";
import { isCurve, withVertex } from "../labels/curves.js";
import { nearest } from "../geometry/mapping.js";

const VERTEX = "M-3.5 -3.5h7v7h-7z";

/** Every curve that has a vertex on the slice, or runs through it. Its edges are broken where they leave the slice. */
export function CurveMarks({ viewer, state }) {
  return state.items.filter(isCurve).map((item) => html`<${CurveMark} key=${item.id} viewer=${viewer} state=${state} item=${item} />`);
}

function CurveMark({ viewer, state, item }) {
  const { closed } = item.curve;
  const { drag } = state;
  const vertices = drag?.id === item.id ? withVertex(item.curve.vertices, drag.vertex, drag) : item.curve.vertices;
  const slices = vertices.map((vertex) => Math.max(nearest(vertex.slice), 0));
  if (vertices.length === 0 || state.shown < Math.min(...slices) || state.shown > Math.max(...slices)) return null;
  const at = vertices.map(({ x, y }) => viewer.toScreen([x, y]));
  const edges = vertices.map((_, i) => [i, (i + 1) % vertices.length]).slice(0, closed && vertices.length > 2 ? undefined : -1);
  const kind = ["curve", item.id === state.selected && "chosen", item.id === state.drawing && "drawn"];
  const here = at.filter((_, i) => slices[i] === state.shown);
  return html`
    <g class=${kind.filter(Boolean).join(" ")}>
      ${edges.map(([from, to]) => {
        const within = slices[from] === state.shown && slices[to] === state.shown;
        const path = `M${at[from].join(" ")}L${at[to].join(" ")}`;
        return html`<path class="halo" d=${path} /><path class=${within ? "edge" : "edge leaving"} d=${path} />`;
      })}
      ${here.map(([x, y]) => html`<path class="vertex" d=${VERTEX} transform=${`translate(${x} ${y})`} />`)}
      ${here.length > 0 && html`<text x=${here[0][0] + 9} y=${here[0][1] - 8}>${item.label}</text>`}
    </g>
  `;
}

/** What can be set of a chosen curve. */
export function CurveDetails({ viewer, item, isDrawing }) {
  const { drawing } = viewer;
  const { closed, count } = item.curve;
  const counted = (event) => {
    drawing.setCount(item.id, event.target.valueAsNumber);
    event.target.value = drawing.curveOf(item.id).count ?? "";
  };
  return html`
    <div class="of-curve">
      <label><input id="curve-closed" type="checkbox" checked=${closed} onChange=${(event) => drawing.setClosed(item.id, event.target.checked)} /> closed</label>
      <label>points <input id="curve-points" class="short" type="number" min="2" max="10000" step="1" value=${count ?? ""} placeholder="as drawn" onChange=${counted} title="Number of points that sidecar map-points puts on the curve, at equal distances. If it is empty, the vertices stay as drawn" /></label>
      <button type="button" id="curve-draw" aria-pressed=${isDrawing} onClick=${() => (isDrawing ? drawing.finish() : drawing.begin(item.id))}>${isDrawing ? "Finish (F)" : "Continue"}</button>
    </div>
  `;
}

export function NewCurve({ viewer }) {
  return html`<button type="button" id="new-curve" title="Draw a line or an outline for semilandmarks (C)" onClick=${() => viewer.drawing.begin()}>Draw a curve</button>`;
}

// Stacks around landmarks on the page: their list with how far each landmark was moved, and the mark where the coarse labelling had it.

import { html, memo } from "./preact.js";
import { decimalsFor, numberText } from "./text.js";
import { nearest } from "../geometry/mapping.js";
import { movedBy, landmarkOf } from "../stacks/zooms.js";

/** Drawn anew when another stack is shown, or the `lists` of landmarks are others. */
export const ZoomTable = memo(({ zooms }) => {
  const moved = zooms.viewers.map(movedBy);
  const done = moved.filter(Boolean).length;
  return html`
    <section class="refined" aria-labelledby="refined-title">
      <h2 id="refined-title">Refined <span class="tally">${done} of ${zooms.viewers.length}</span></h2>
      <div class="rows">
        <table>
          <thead><tr><th scope="col">landmark</th><th scope="col">moved mm</th><th scope="col">voxels</th></tr></thead>
          <tbody>
            ${zooms.viewers.map((viewer, i) => html`<${ZoomRow} key=${viewer.page.folder} zooms=${zooms} viewer=${viewer} moved=${moved[i]} />`)}
          </tbody>
        </table>
      </div>
    </section>
  `;
});

function ZoomRow({ zooms, viewer, moved }) {
  const current = viewer === zooms.viewer;
  return html`
    <tr class=${current ? "current" : ""}>
      <th scope="row">
        <button type="button" aria-current=${current ? "step" : null} onClick=${() => zooms.show(viewer)}><bdi>${landmarkOf(viewer)}</bdi></button>
      </th>
      <td>${moved?.mm != null && html`<data value=${String(moved.mm)}>${numberText(moved.mm, decimalsFor(viewer.looks.pixelWidth))}</data>`}</td>
      <td>${moved && html`<data value=${String(moved.voxels)}>${numberText(moved.voxels, 1)}</data>`}</td>
    </tr>
  `;
}

const COARSE_MARK = "M-9 0H-3M3 0H9M0 -9V-3M0 3V9";

/** Where the coarse labelling had the landmark: on its slice, and fainter on the others. */
export function Coarse({ viewer, shown }) {
  const [x, y] = viewer.toScreen(viewer.coarse);
  const away = shown - nearest(viewer.coarse[2]);
  const slices = `${Math.abs(away)} ${Math.abs(away) === 1 ? "slice" : "slices"}`;
  return html`
    <g class=${away === 0 ? "coarse" : "coarse away"} transform=${`translate(${x} ${y})`}>
      <path class="halo" d=${COARSE_MARK} />
      <path d=${COARSE_MARK} />
      <text x="11" y="17">coarse${away !== 0 ? `, ${slices} ${away > 0 ? "before" : "after"}` : ""}</text>
    </g>
  `;
}

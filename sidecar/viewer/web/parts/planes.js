// The two planes across the slice, each in a pane of its own, beside the stage.

import { Button } from "./bars.js";
import { tableOf } from "../geometry/contrast.js";
import { matrixOf } from "../geometry/cross.js";
import { Gestures } from "./gestures.js";
import { Magnifier } from "./magnifier.js";
import { html, useLayoutEffect, useRef } from "./preact.js";
import { Cross, fitted, MarksOn, Sides, SMOOTH_UP_TO } from "./stage.js";
import { numberText } from "./text.js";

const AXIS_WORDS = ["x", "y", "slices"];

export function Planes({ viewer, state }) {
  const { planes, voxels } = viewer.across;
  const all = voxels.slices.length;
  return html`
    <section class="planes" aria-label="Planes across the slice">
      ${planes.map((plane) => html`<${Pane} key=${plane.fixed} plane=${plane} state=${state} />`)}
      ${voxels.failure
        ? html`<p class="note" role="alert"><bdi>${voxels.failure}</bdi></p>`
        : state.answered < all && html`<p class="note"><progress max=${all} value=${state.answered} aria-label="Slices loaded for the planes across"></progress> ${state.answered} of ${all} slices</p>`}
    </section>
  `;
}

function Pane({ plane, state }) {
  const element = useRef(null);
  useLayoutEffect(() => {
    const pane = element.current;
    const measure = () => {
      const { width, height } = pane.getBoundingClientRect();
      plane.resize({ width, height });
    };
    new Gestures(plane, pane);
    const observer = new ResizeObserver(measure);
    observer.observe(pane);
    measure();
    return () => observer.disconnect();
  }, []);
  const [right, down] = plane.axes.map((axis) => AXIS_WORDS[axis]);
  const where = `${AXIS_WORDS[plane.fixed]} ${plane.seen()}`;
  return html`
    <div
      class="stage pane"
      ref=${element}
      data-plane=${plane.fixed}
      tabindex="0"
      role="application"
      aria-label=${`Plane across the slice at ${where}: ${right} to the right, ${down} down. Shift and arrow keys move the cross, Enter places a landmark, plus and minus zoom.`}
      aria-describedby="readout"
    >
      ${state.panes[plane.fixed] && html`<${Shown} plane=${plane} state=${state} pane=${state.panes[plane.fixed]} where=${where} />`}
    </div>
  `;
}

function Shown({ plane, state, pane, where }) {
  const canvas = useRef(null);
  const { viewer } = plane;
  const ratio = globalThis.devicePixelRatio;
  const index = plane.seen();
  useLayoutEffect(() => {
    const image = imageOf(plane, index, state.window, state.answered);
    drawSheet(fitted(canvas.current, pane, ratio), plane, image, pane, pane.view, ratio);
  }, [pane, index, state.window, state.answered, ratio]);
  const magnified = (context, size, times) => {
    const [right, down] = plane.onSheet(viewer.cursorSpot());
    const view = { scale: pane.view.scale * times, right, down };
    drawSheet(context, plane, imageOf(plane, index, state.window, state.answered), size, view, ratio);
  };
  const [right, down] = viewer.mapping.inPatient ? plane.sheet.directions : [null, null];
  return html`
    <canvas ref=${canvas} />
    <svg class="marks" width=${pane.width} height=${pane.height} aria-hidden="true">
      <${MarksOn} surface=${plane} state=${state} />
      <${Cross} at=${plane.toScreen(state.point)} size=${pane} byKeys=${state.byKeys} />
    </svg>
    <${Sides} viewer=${viewer} space=${state.space} right=${right} down=${down} />
    <div class="corner upper left">${where}${viewer.page.split && html` <small>in 256 greys of all values</small>`}</div>
    ${!viewer.mapping.toPatient && html`<div class="corner lower left">voxels are drawn as cubes, because this source has no geometry</div>`}
    <div class="corner lower right paneZooms">
      <${Button} icon="minus" label=${`Zoom out of the plane at ${where}`} onClick=${() => plane.zoom(0.8)} />
      <${Button} icon="plus" label=${`Zoom into the plane at ${where}`} onClick=${() => plane.zoom(1.25)} />
      <${Button} icon="fit" label=${`The whole plane at ${where}`} onClick=${() => plane.fit()} />
    </div>
    <${Magnifier} surface=${plane} state=${state} zoom=${plane.zoomOfPixels()} draw=${magnified} />
  `;
}

/** A plane as a canvas with a pixel for each voxel; it is cut anew only where something changed. */
function imageOf(plane, index, window, answered) {
  const asked = [index, window, answered];
  if (plane.cut && asked.every((value, i) => value === plane.cut.asked[i])) return plane.cut.image;
  const [, , slices] = plane.viewer.mapping.size;
  const length = plane.viewer.mapping.size[1 - plane.fixed];
  const { image, context, data } = plane.cut ?? emptyImage(length, slices);
  plane.voxels.cut(plane.fixed, index, tableOf(window, plane.viewer.page.split), new Uint32Array(data.data.buffer));
  context.putImageData(data, 0, 0);
  plane.cut = { asked, image, context, data };
  return image;
}

function emptyImage(width, height) {
  const image = new OffscreenCanvas(width, height);
  const context = image.getContext("2d");
  return { image, context, data: context.createImageData(width, height) };
}

/** Draw the parts of a sheet one after the other, each as a view shows it on a canvas of `size`. */
function drawSheet(context, { sheet, viewer }, image, size, view, ratio) {
  const scale = view.scale * ratio;
  const [left, top] = [(size.width * ratio) / 2 - view.right * scale, (size.height * ratio) / 2 - view.down * scale];
  const [before, room] = sheet.turned ? [left, size.width * ratio] : [top, size.height * ratio];
  const isSeen = ({ start, end }) => end.height * scale + before > 0 && start.height * scale + before < room;
  for (const piece of sheet.pieces.filter(isSeen)) {
    const { matrix, perBent } = matrixOf(sheet, piece);
    const [a, b, c, d, e, f] = matrix;
    context.setTransform(a * scale, b * scale, c * scale, d * scale, e * scale + left, f * scale + top);
    context.imageSmoothingEnabled = Math.min(sheet.pixel, perBent) * scale < SMOOTH_UP_TO;
    context.imageSmoothingQuality = "medium";
    // Half a screen pixel more than the piece has: the next one is drawn over it, and no seam shows.
    const start = piece.start.at + 0.5;
    const length = Math.min(piece.end.at - piece.start.at + 0.5 / (perBent * scale), viewer.mapping.size[sheet.bent] - start);
    const part = sheet.bent === 2 ? [0, start, image.width, length] : [start, 0, length, image.height];
    context.drawImage(image, ...part, ...part);
  }
  context.setTransform(1, 0, 0, 1, 0, 0);
}

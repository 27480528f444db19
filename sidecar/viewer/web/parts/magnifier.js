// A round glass beside the pointer, or beside the cross that the keys move: what is under it, larger.

import { html, useLayoutEffect, useRef } from "./preact.js";

const WIDEST = 168; // screen pixels
const AWAY = 22; // screen pixels between the pointer and the glass
const LEAST = 2; // times larger
const PIXEL = 12; // screen pixels per PNG pixel in it, or more

/**
 * `draw(context, size, times)` draws what is around the cursor, so many times larger than the surface shows it; `zoom` is how many screen
 * pixels that shows per PNG pixel, and `filter` the contrast, where it is not drawn already.
 */
export function Magnifier({ surface, state, zoom, filter = "none", draw }) {
  const canvas = useRef(null);
  const isShown = state.magnified && state.over === surface;
  const { left, top, edge } = glassBeside(surface.toScreen(surface.viewer.cursorSpot()), surface.size());
  useLayoutEffect(() => {
    if (!isShown) return;
    const size = { width: edge, height: edge };
    const ratio = globalThis.devicePixelRatio;
    Object.assign(canvas.current, { width: edge * ratio, height: edge * ratio });
    draw(canvas.current.getContext("2d"), size, Math.max(LEAST, PIXEL / zoom));
  });
  if (!isShown) return null;
  const middle = edge / 2;
  return html`
    <div class="magnifier" style=${{ left: `${left}px`, top: `${top}px`, width: `${edge}px`, height: `${edge}px` }} aria-hidden="true">
      <canvas ref=${canvas} style=${{ filter, width: `${edge}px`, height: `${edge}px` }} />
      <svg width=${edge} height=${edge}>
        <path d=${`M${middle} 0V${middle - 8}M${middle} ${middle + 8}V${edge}M0 ${middle}H${middle - 8}M${middle + 8} ${middle}H${edge}`} />
      </svg>
    </div>
  `;
}

/** Where the glass lies: on the surface, and left or right of the pointer, so that it never covers it. */
function glassBeside([x, y], { width, height }) {
  const edge = Math.round(Math.min(0.38 * Math.min(width, height), WIDEST));
  const left = x + AWAY + edge > width ? x - AWAY - edge : x + AWAY;
  return { left, top: Math.min(Math.max(y - AWAY - edge, 0), height - edge), edge };
}

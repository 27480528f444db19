// How a plane across the PNGs lies in what was scanned: plain numbers, no browser.
//
// The axes of the PNG stack are 0 (x), 1 (y) and 2 (number). A sheet is the plane that two of them span, in millimetres along the
// screen's right and down; without geometry, in source voxels, as if these were cubes. The axis that runs along the slices of the source
// is bent: its steps are as long as the slices are apart, and each shifts what lies on it as a tilted gantry does. The other one is straight.

import { dot, scaled, subtract } from "./mapping.js";

const partWay = (from, to, part) => from + (to - from) * part;

/** How far off its place a voxel may be drawn, in voxels: positions in headers are rounded, and few pieces are drawn faster than many. */
const DRAWN_OFF = 0.02;

/**
 * The sheet of a mapping on which axis `across` runs to the right and axis `down` down: {across, down, bent, straight, directions, box,
 * pieces, toSheet, toPixel}. `directions` are the mm of one pixel across and down; `box` is what the sheet fills, [left, top, right, bottom].
 * `pieces` are parts of the bent axis that are straight, nearly, each with one affine map (see `matrixOf`). toSheet and toPixel go between [across, down] in
 * PNG pixels and [right, down] on the sheet. The third axis is at its middle: it moves nothing where planes are parallel.
 */
export function sheetOf(mapping, across, down) {
  const bent = mapping.order[across] === 2 ? across : down;
  const straight = bent === across ? down : across;
  const place = placeOn(mapping, straight, bent);
  const middle = (mapping.size[straight] - 1) / 2;
  const last = mapping.size[bent] - 1;
  const step = subtract(place(middle + 0.5, last / 2), place(middle - 0.5, last / 2));
  const pixel = Math.hypot(...step);
  const unit = scaled(step, 1 / pixel);
  const origin = place(middle, 0);
  const whole = subtract(place(middle, last), origin);
  const upright = subtract(whole, scaled(unit, dot(whole, unit)));
  const normal = scaled(upright, 1 / Math.hypot(...upright));
  const knots = knotsOf(mapping, bent).map((at) => {
    const from = subtract(place(middle, at), origin);
    return { at, shift: dot(from, unit), height: dot(from, normal) };
  });
  const drawn = straightened(knots, DRAWN_OFF * Math.min(pixel, Math.hypot(...whole) / last));
  const turned = bent === across;
  const swap = ([a, b]) => (turned ? [b, a] : [a, b]);
  const sheet = { across, down, bent, straight, pixel, middle, turned };
  return {
    ...sheet,
    directions: swap([step, scaled(whole, 1 / last)]),
    box: boxOf(knots, pixel, mapping.size[straight], swap),
    pieces: drawn.slice(1).map((end, i) => ({ start: drawn[i], end })),
    toSheet(pixelPlace) {
      const [s, b] = swap(pixelPlace);
      const { shift, height } = knotAt(knots, "at", b);
      return swap([pixel * (s - middle) + shift, height]);
    },
    toPixel(sheetPlace) {
      const [s, b] = swap(sheetPlace);
      const { shift, at } = knotAt(knots, "height", b);
      return swap([(s - shift) / pixel + middle, at]);
    },
  };
}

/** Where a place lies on the two axes, the third in its middle: mm, or source voxels. */
function placeOn(mapping, straight, bent) {
  const place = mapping.toPatient ?? mapping.toSource;
  const middle = mapping.size.map((length) => (length - 1) / 2);
  return (onStraight, onBent) => place(middle.map((value, axis) => (axis === straight ? onStraight : axis === bent ? onBent : value)));
}

/** Where the bent axis may bend: at both its edges, and at each slice of the source between them. */
function knotsOf({ size, order, factors, toSource }, bent) {
  const edges = [-0.5, size[bent] - 0.5];
  if (order[bent] !== 2) return edges;
  const [start, end] = edges.map((edge) => toSource([0, 1, 2].map((axis) => (axis === bent ? edge : 0)))[2]);
  const knots = [edges[0]];
  const way = Math.sign(factors[bent]);
  for (let slice = way > 0 ? Math.ceil(start) : Math.floor(start); way * slice < way * end; slice += way) {
    const at = edges[0] + (slice - start) / factors[bent];
    if (at > knots.at(-1)) knots.push(at);
  }
  return [...knots, edges[1]];
}

/** Knots without those that are at most `most` mm off the lines between the others (Douglas and Peucker). */
function straightened(knots, most) {
  const [first, last] = [knots[0], knots.at(-1)];
  const offLine = ({ at, shift, height }) => {
    const part = (at - first.at) / (last.at - first.at);
    return Math.max(Math.abs(partWay(first.shift, last.shift, part) - shift), Math.abs(partWay(first.height, last.height, part) - height));
  };
  const off = knots.map(offLine);
  const farthest = off.reduce((worst, one, i) => (one > off[worst] ? i : worst), 0);
  if (off[farthest] <= most) return [first, last];
  return [...straightened(knots.slice(0, farthest + 1), most), ...straightened(knots.slice(farthest), most).slice(1)];
}

/** All that is known of a place on the bent axis of which one number is: beyond its ends it goes on as within. */
function knotAt(knots, known, value) {
  let [low, high] = [0, knots.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (knots[middle][known] <= value) low = middle;
    else high = middle;
  }
  const [from, to] = [knots[low], knots[high]];
  const part = (value - from[known]) / (to[known] - from[known]);
  return { at: partWay(from.at, to.at, part), shift: partWay(from.shift, to.shift, part), height: partWay(from.height, to.height, part) };
}

function boxOf(knots, pixel, length, swap) {
  const shifts = knots.map((knot) => knot.shift);
  const corners = [
    swap([Math.min(...shifts) - (pixel * length) / 2, knots[0].height]),
    swap([Math.max(...shifts) + (pixel * length) / 2, knots.at(-1).height]),
  ];
  return corners.flat();
}

/**
 * {matrix, perBent} of a piece: `matrix` is [a, b, c, d, e, f] as a canvas takes it, x' = a·i + c·j + e and y' = b·i + d·j + f, from the
 * corners of pixels of an image whose rows are PNGs to the sheet; it holds from the start of the piece to its end. `perBent` is the length
 * of a step along the bent axis.
 */
export function matrixOf({ pixel, middle, turned, bent }, { start, end }) {
  const per = (what) => (end[what] - start[what]) / (end.at - start.at);
  const edge = start.at + 0.5; // the corner of a pixel is half a pixel before its middle
  const straight = [pixel, per("shift"), start.shift - per("shift") * edge - pixel * (middle + 0.5)];
  const upright = [0, per("height"), start.height - per("height") * edge];
  const [right, down] = turned ? [upright, straight] : [straight, upright];
  const [i, j] = bent === 2 ? [0, 1] : [1, 0];
  return { matrix: [right[i], down[i], right[j], down[j], right[2], down[2]], perBent: Math.hypot(per("shift"), per("height")) };
}

// A view of a sheet: {scale, right, down}, screen pixels per mm and the place in the middle of the pane.

export const onScreen = ({ scale, right, down }, pane, place) => [(place[0] - right) * scale + pane.width / 2, (place[1] - down) * scale + pane.height / 2];

export const onSheet = ({ scale, right, down }, pane, screen) => [(screen[0] - pane.width / 2) / scale + right, (screen[1] - pane.height / 2) / scale + down];

/** The whole sheet, with a margin. */
export function fitSheet([left, top, right, bottom], pane, margin = 22) {
  const room = [pane.width, pane.height].map((length) => Math.max(length - 2 * margin, 16));
  return { scale: Math.min(room[0] / (right - left), room[1] / (bottom - top)), right: (left + right) / 2, down: (top + bottom) / 2 };
}

/** Zoom by a factor and leave the place under the screen point where it is; never under half of the whole, never over `largest`. */
export function zoomSheet(view, box, pane, screen, factor, largest) {
  const scale = Math.min(Math.max(view.scale * factor, fitSheet(box, pane).scale / 2), largest);
  const place = onSheet(view, pane, screen);
  const moved = onSheet({ ...view, scale }, pane, screen);
  return withinBox({ scale, right: view.right + place[0] - moved[0], down: view.down + place[1] - moved[1] }, box);
}

/** The middle of the pane stays on the sheet, so that it cannot be lost. */
export function withinBox(view, [left, top, right, bottom]) {
  return { ...view, right: Math.min(Math.max(view.right, left), right), down: Math.min(Math.max(view.down, top), bottom) };
}

/** The smallest of 1, 2, 5, 10 … (and their tenths) pixels that are two screen pixels or more: at most five of them. */
export function nudgeOf(screenPixels) {
  const decade = 10 ** Math.floor(Math.log10(2 / screenPixels));
  return [1, 2, 5, 10].map((step) => step * decade).find((step) => step * screenPixels >= 2 - 1e-9);
}

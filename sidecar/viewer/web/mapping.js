// PNG pixels to source voxels and patient millimetres, and back, from the sidecar document alone.
//
// Written from the document's description and DICOM PS3.3 C.7.6.2.1.1, apart from the Python of this package: the tests hold the
// two to each other. All coordinates are "center": 0 is the middle of the first pixel, voxel or slice. Patient mm are LPS.

/** How far a control point may be from what the document says, in mm and in source voxels. */
const CONTROL_TOLERANCE = 1e-6;
const NEWTON_STEPS = 25;

const add = (a, b) => a.map((value, i) => value + b[i]);
const subtract = (a, b) => a.map((value, i) => value - b[i]);
const scaled = (a, factor) => a.map((value) => value * factor);
const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
export const distanceBetween = (a, b) => Math.hypot(...subtract(a, b));

/**
 * The mapping a document describes: {size, toSource, toPixel, toPatient, fromPatient, instanceAt, …}.
 * toPatient and fromPatient are null without patient geometry. Throws where the control points do not come out.
 */
export function mappingOf(doc) {
  const axes = [doc.decimation.columns, doc.decimation.rows, doc.decimation.slices];
  const toSource = (pixel) => axes.map((axis, i) => axis.factor * pixel[i] + axis.offset);
  const toPixel = (source) => axes.map((axis, i) => (source[i] - axis.offset) / axis.factor);
  const stack = doc.coordinate_system === null ? null : stackOf(doc.source);
  const mapping = {
    size: axes.map((axis) => axis.size),
    toSource,
    toPixel,
    toPatient: stack && ((pixel) => stack.toPatient(toSource(pixel))),
    fromPatient: stack && ((patient) => toPixel(stack.toSource(patient))),
    /** "mm", or "px" (source pixels) where the source has no patient geometry, and the width of a PNG pixel in it. */
    unit: stack ? "mm" : "px",
    pixelWidth: axes[0].factor * (stack ? doc.source.pixel_spacing[1] : 1),
    /** Height of a PNG pixel over its width, in the patient as far as is known. */
    pixelAspect: pixelAspect(doc, axes),
    /** Unit vectors of the rows and columns of the plane nearest to a PNG slice, or null. */
    directionsAt: (slice) => stack && stack.planes[nearestPlane(toSource([0, 0, slice])[2], stack.planes.length)].directions,
    /** The DICOM instance nearest to a PNG slice; halfway between two it is the lower one. */
    instanceAt: (slice) => doc.source.planes[nearestPlane(toSource([0, 0, slice])[2], doc.source.planes.length)],
  };
  checkControlPoints(doc, mapping);
  return mapping;
}

/** The end of the patient an LPS direction points to, main axis first; parts under a fifth of the whole are left out. */
export function anatomicalLetters(direction) {
  const length = Math.hypot(...direction);
  return direction
    .map((part, i) => ({ size: Math.abs(part), letter: (part > 0 ? "LPH" : "RAF")[i] }))
    .filter((part) => part.size > 0.2 * length)
    .sort((a, b) => b.size - a.size)
    .map((part) => part.letter)
    .join("");
}

/** LPS mm shown in another space: RAS turns the first two axes round. It is its own inverse. */
export const inSpace = (patient, space) => (space === "RAS" ? [-patient[0], -patient[1], patient[2]] : patient);

function nearestPlane(along, count) {
  return Math.min(Math.max(Math.ceil(along - 0.5), 0), count - 1);
}

function pixelAspect(doc, axes) {
  const [betweenRows, betweenColumns] = doc.source.pixel_spacing ?? [1, 1];
  return (axes[1].factor * betweenRows) / (axes[0].factor * betweenColumns);
}

/** The planes of the source, with the way between source index (column, row, slice) and patient mm. */
function stackOf(source) {
  const [betweenRows, betweenColumns] = source.pixel_spacing;
  const planes = source.planes.map((plane) => {
    const cosines = plane.orientation ?? source.orientation;
    const directions = [cosines.slice(0, 3), cosines.slice(3)];
    return {
      position: plane.position,
      directions,
      perColumn: scaled(directions[0], betweenColumns),
      perRow: scaled(directions[1], betweenRows),
    };
  });
  const across = cross(...planes[0].directions);
  const normal = scaled(across, 1 / Math.hypot(...across));
  const heights = planes.map((plane) => dot(plane.position, normal));
  const stack = { planes, normal, heights, smallestEdge: Math.min(betweenRows, betweenColumns) };
  return {
    planes,
    toPatient: (index) => toPatient(stack, index),
    toSource: (patient) => (planes.length === 1 ? sourceOnPlane(stack, patient) : sourceInStack(stack, patient)),
  };
}

/** PS3.3 C.7.6.2.1.1: position + column · row cosines · spacing + row · column cosines · spacing. */
function onPlane(plane, column, row) {
  return plane.position.map((start, i) => start + column * plane.perColumn[i] + row * plane.perRow[i]);
}

/** Straight lines between neighbouring planes; beyond the ends it goes on as between the outermost two. */
function toPatient({ planes }, [column, row, slice]) {
  if (planes.length === 1) {
    if (slice !== 0) throw new Error("a single slice has no spacing along its normal: the slice of a point on it must be 0");
    return onPlane(planes[0], column, row);
  }
  const below = planeBelow(slice, planes.length);
  const part = slice - below;
  const lower = onPlane(planes[below], column, row);
  const upper = onPlane(planes[below + 1], column, row);
  return add(scaled(lower, 1 - part), scaled(upper, part));
}

const planeBelow = (along, count) => Math.min(Math.max(Math.floor(along), 0), count - 2);

/** Newton's method from the slice the point's height suggests; planes that are parallel need one step. */
function sourceInStack(stack, patient) {
  const { planes, heights, normal } = stack;
  const height = dot(patient, normal);
  const start = planeAtHeight(heights, height);
  let index = [0, 0, start + (height - heights[start]) / (heights[start + 1] - heights[start])];
  for (let step = 0; step < NEWTON_STEPS; step += 1) {
    const below = planeBelow(index[2], planes.length);
    const [lower, upper] = [planes[below], planes[below + 1]];
    const part = index[2] - below;
    const perColumn = add(scaled(lower.perColumn, 1 - part), scaled(upper.perColumn, part));
    const perRow = add(scaled(lower.perRow, 1 - part), scaled(upper.perRow, part));
    const perSlice = subtract(onPlane(upper, index[0], index[1]), onPlane(lower, index[0], index[1]));
    const missing = subtract(patient, toPatient(stack, index));
    const change = solve(perColumn, perRow, perSlice, missing);
    index = add(index, change);
    if (Math.max(...change.map(Math.abs)) < 1e-10) return index;
  }
  throw new Error("the point cannot be placed on this stack: its planes cross where it is");
}

/** The last plane at or below a height, but never the last of all, by bisection. */
function planeAtHeight(heights, height) {
  let [low, high] = [0, heights.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (heights[middle] <= height) low = middle;
    else high = middle;
  }
  return low;
}

/** a, b, c with a·first + b·second + c·third = sum, by Cramer's rule. */
function solve(first, second, third, sum) {
  const volume = dot(first, cross(second, third));
  return [dot(sum, cross(second, third)), dot(first, cross(sum, third)), dot(first, cross(second, sum))].map((part) => part / volume);
}

function sourceOnPlane({ planes, normal, smallestEdge }, patient) {
  const offset = subtract(patient, planes[0].position);
  if (Math.abs(dot(offset, normal)) > smallestEdge / 2) {
    throw new Error("the point lies off the only slice of this stack by more than half a pixel");
  }
  const [column, row] = solve(planes[0].perColumn, planes[0].perRow, normal, offset);
  return [column, row, 0];
}

function checkControlPoints(doc, mapping) {
  doc.control_points.forEach((point, i) => {
    const pairs = [[mapping.toSource(point.pixel), point.source]];
    if (mapping.toPatient) pairs.push([mapping.toPatient(point.pixel), point.patient]);
    for (const [computed, stated] of pairs) {
      if (!stated || !(Math.max(...subtract(computed, stated).map(Math.abs)) <= CONTROL_TOLERANCE)) {
        throw new Error(`control point ${i} of the sidecar does not come out: export again, or restore sidecar.json from a copy`);
      }
    }
  });
}

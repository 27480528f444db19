// PNG pixels to source voxels and patient millimetres, and back, from the sidecar document alone.
//
// Written from the document's description and DICOM PS3.3 C.7.6.2.1.1, apart from the Python of this package: the tests hold the
// two to each other, and both to schemas/vectors. All coordinates are "center": 0 is the middle of the first pixel, voxel or slice. Patient mm are LPS,
// unless the voxel size was given by hand: then they run along the columns, rows and slices of the source.
//
// A page embeds a document that Python has checked by every rule of docs/sidecar-format.md. Its own duty is the rule `control_points`:
// they show that this mapping is the one of the document.

/** How far a control point may be from what the document says, in mm and in source voxels. */
const CONTROL_TOLERANCE = 1e-6;
const NEWTON_STEPS = 25;

const add = (a, b) => a.map((value, i) => value + b[i]);
export const subtract = (a, b) => a.map((value, i) => value - b[i]);
export const scaled = (a, factor) => a.map((value) => value * factor);
export const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
export const distanceBetween = (a, b) => Math.hypot(...subtract(a, b));

/** The source axes, in the order of a source index. */
const AXES = ["columns", "rows", "slices"];

/**
 * The mapping a document describes: {size, order, factors, inPatient, toSource, toPixel, toPatient, fromPatient, instanceOf}. `order` and
 * `factors` are the source axes along x, y and PNG number. toPatient and fromPatient are null without millimetres; `inPatient` says
 * whether these are LPS. Throws where the control points do not come out.
 */
export function mappingOf(doc) {
  const order = (doc.decimation.order ?? AXES).map((name) => AXES.indexOf(name));
  const axes = order.map((axis) => doc.decimation[AXES[axis]]);
  const stack = doc.units === "mm" ? stackOf(doc.source) : null;
  const toSource = (pixel) => {
    const source = [0, 0, 0];
    axes.forEach((axis, i) => {
      source[order[i]] = axis.factor * pixel[i] + axis.offset;
    });
    return source;
  };
  const toPixel = (source) => axes.map((axis, i) => (source[order[i]] - axis.offset) / axis.factor);
  const mapping = {
    size: axes.map((axis) => axis.size),
    order,
    factors: axes.map((axis) => axis.factor),
    inPatient: doc.coordinate_system === "LPS",
    toSource,
    toPixel,
    toPatient: stack && ((pixel) => stack.toPatient(toSource(pixel))),
    fromPatient: stack && ((patient) => toPixel(stack.toSource(patient))),
    /** The DICOM instance nearest to a PNG, halfway between two the lower one; null where PNGs lie across the instances. */
    instanceOf: (slice) => (order[2] === 2 ? doc.source.planes[nearestPlane(toSource([0, 0, slice])[2], doc.source.planes.length)] : null),
  };
  checkControlPoints(doc, mapping);
  return mapping;
}

/** The end of the patient an LPS direction points to, main axis first. */
export const anatomicalLetters = (direction) => endsOf(direction, "LPH", "RAF").join("");

/** The ends of the coordinate axes that a direction points to, main axis first: ["+z", "−x"]. */
export const axisEnds = (direction) => endsOf(direction, ["+x", "+y", "+z"], ["−x", "−y", "−z"]);

/** The main axis first; parts under a fifth of the whole are left out. */
function endsOf(direction, ahead, behind) {
  const length = Math.hypot(...direction);
  return direction
    .map((part, i) => ({ size: Math.abs(part), end: (part > 0 ? ahead : behind)[i] }))
    .filter((part) => part.size > 0.2 * length)
    .sort((a, b) => b.size - a.size)
    .map((part) => part.end);
}

/** LPS mm shown in another space: RAS turns the first two axes round. It is its own inverse. */
export const inSpace = (patient, space) => (space === "RAS" ? [-patient[0], -patient[1], patient[2]] : patient);

/** The axes of the millimetres that a page shows: LPS or RAS as chosen, and those of the scan itself where nothing is known of the patient. */
export const axesOf = (mapping, space) => (mapping.inPatient ? space : "given");

/** The sample nearest to a place, halfway between two the lower one. */
export const nearest = (place) => Math.ceil(place - 0.5);

function nearestPlane(along, count) {
  return Math.min(Math.max(nearest(along), 0), count - 1);
}

/** Stacks by their sources, which several documents may share. */
const STACKS = new WeakMap();

/** The planes of the source, with the way between source index (column, row, slice) and patient mm. */
function stackOf(source) {
  if (!STACKS.has(source)) STACKS.set(source, stackOfPlanes(source));
  return STACKS.get(source);
}

function stackOfPlanes(source) {
  const [betweenRows, betweenColumns] = source.pixel_spacing;
  const planes = source.planes.map((plane) => {
    const cosines = plane.orientation ?? source.orientation;
    return {
      position: plane.position,
      perColumn: scaled(cosines.slice(0, 3), betweenColumns),
      perRow: scaled(cosines.slice(3), betweenRows),
    };
  });
  const across = cross(planes[0].perColumn, planes[0].perRow);
  const normal = scaled(across, 1 / Math.hypot(...across));
  const heights = planes.map((plane) => dot(plane.position, normal));
  const stack = { planes, normal, heights, smallestEdge: Math.min(betweenRows, betweenColumns) };
  return {
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

/**
 * Newton's method from the slice the point's height suggests; planes that are parallel need one step. It ends where steps are nothing,
 * or small and no longer shrinking: far from the origin, rounding is larger than what is nothing near it.
 */
function sourceInStack(stack, patient) {
  const { planes, heights, normal } = stack;
  const height = dot(patient, normal);
  const start = planeAtHeight(heights, height);
  let index = [0, 0, start + (height - heights[start]) / (heights[start + 1] - heights[start])];
  let last = Infinity;
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
    const size = Math.max(...change.map(Math.abs));
    if (size < 1e-10 || (size < 1e-6 && size > last / 2)) return index;
    last = size;
  }
  throw new Error("the point cannot be placed on this stack: the planes of its slices cross there");
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
        throw new Error(`control point ${i} of the sidecar does not map to its place; export again, or restore sidecar.json from a copy`);
      }
    }
  });
}

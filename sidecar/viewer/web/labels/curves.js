// Curves as plain data: a line of vertices, open or closed, and how many equidistant points it becomes.
//
// The item of a curve is {id, label, listed, x: null, y: null, slice: null, curve}: it has no one place. `curve` is {closed, count,
// vertices: [{x, y, slice}]}. `sidecar map-points` puts `count` points on it, by its length in millimetres; where it is null, the vertices
// are the points, as in a file that holds points.

export const CURVE_COLUMNS = ["shape_type", "shape_id", "vertex", "curve_points"];
/** As `sidecar/labels/curves.py` has it. */
const MOST_CURVE_POINTS = 10000;
const MOST_VERTICES = 20000;
const FIRST_COUNT = 10;
/** Whether a curve is closed, by the type of its shape in a table. */
const CLOSED = new Map([["polyline", false], ["line", false], ["polygon", true]]);

export const isCurve = (item) => Boolean(item?.curve);
export const newCurve = () => ({ closed: false, count: FIRST_COUNT, vertices: [] });
/** The fewest vertices, and points, of an open or a closed curve. */
export const fewestOf = (closed) => (closed ? 3 : 2);
export const isDrawn = (item) => isCurve(item) && item.curve.vertices.length >= fewestOf(item.curve.closed);
/** The number of points nearest to the one asked for that a curve can have. */
export const possibleCount = (count, closed) => Math.min(Math.max(Math.round(count) || FIRST_COUNT, fewestOf(closed)), MOST_CURVE_POINTS);

/** Cells of CURVE_COLUMNS: of a landmark; of a vertex of the curve that is `number` in its file, without a count where it stays as drawn. */
export const CELLS_OF_POINT = ["point", "", "", ""];
export const cellsOfVertex = ({ closed, count }, number, vertex) => [closed ? "polygon" : "polyline", `curve ${number}`, vertex, count ?? ""];

/**
 * Points as rows have them, {label, x, y, slice, where, shape: {type, id, vertex, count}}, with the vertices of each curve put together:
 * {label, x: null, y: null, slice: null, curve}. A count of null or 0 is that of a curve that stays as drawn. Every fault is an Error that names the row.
 */
export function withCurves(points) {
  const found = [];
  let last = null;
  for (const { shape, where, ...point } of points) {
    if (shape.type === "" || shape.type === "point") {
      found.push(point);
      last = null;
      continue;
    }
    if (!CLOSED.has(shape.type)) throw new Error(`${where}: this page shows landmarks and curves only, not a ${shape.type.slice(0, 20)}`);
    const { label, ...place } = point;
    const key = JSON.stringify([shape.type, shape.id, label]);
    if (shape.vertex === 0 || last?.key !== key) {
      const closed = CLOSED.get(shape.type);
      last = { key, vertices: [] };
      found.push({ label, x: null, y: null, slice: null, curve: { closed, count: shape.count ? possibleCount(shape.count, closed) : null, vertices: last.vertices } });
    }
    if (shape.vertex !== last.vertices.length) throw new Error(`${where}: vertex ${shape.vertex} is out of order; the vertices of a curve must be 0, 1, 2 …`);
    last.vertices.push(place);
  }
  return found;
}

/** A curve as it comes out of storage, null where it is none; what landmarks have is undefined. */
export function checkedCurve(curve) {
  if (curve === undefined) return undefined;
  const sound =
    typeof curve?.closed === "boolean" &&
    (curve.count === null || Number.isInteger(curve.count)) &&
    Array.isArray(curve.vertices) &&
    curve.vertices.length <= MOST_VERTICES &&
    curve.vertices.every((vertex) => [vertex?.x, vertex?.y, vertex?.slice].every(Number.isFinite));
  return sound ? { closed: curve.closed, count: curve.count, vertices: curve.vertices.map(({ x, y, slice }) => ({ x, y, slice })) } : null;
}

/** The vertices of an item, none of a landmark: {id, vertex, x, y, slice}, with the item's id and the number of each. */
export const verticesOf = (item) => (isCurve(item) ? item.curve.vertices.map((place, vertex) => ({ id: item.id, vertex, ...place })) : []);

/** Vertices with the one at `index` in another place. */
export const withVertex = (vertices, index, place) => vertices.map((vertex, i) => (i === index ? place : vertex));

/** Vertices in words: "7 vertices, slices 3–9". */
export function curveText({ vertices }) {
  if (vertices.length === 0) return "";
  const slices = vertices.map((vertex) => +vertex.slice.toFixed(2));
  const [first, last] = [Math.min(...slices), Math.max(...slices)];
  return `${vertices.length} ${vertices.length === 1 ? "vertex" : "vertices"}, ${first === last ? `slice ${first}` : `slices ${first}–${last}`}`;
}

// Label files: labels.csv and Slicer markups, read and written, and templates of names. Text in, plain data out.
//
// Every fault is an Error that names the row or point; a file is taken whole or not at all.

import { CELLS_OF_POINT, cellsOfVertex, CURVE_COLUMNS, isCurve, withCurves } from "./curves.js";
import { parseNumber, parseTable, writeTable } from "./csv.js";
import { fromDescription, isTag, refuseOther, taggedName, toDescription } from "./identity.js";
import { MOST_ITEMS, shownOn } from "./work.js";

const IMAGE_EXTENSION = /\.(png|jpe?g|tiff?|bmp|gif|webp)$/i;
const DELIMITERS = [",", ";", "\t"];
const PLACE_COLUMNS = ["image", "slice", "label", "x", "y"];
/** What they are of, each with the name it has in an export (see `exportOf`). */
const EXPORT_COLUMNS = new Map([["specimen", "specimen"], ["series_uid", "series"], ["tag", "tag"]]);
const OWN_COLUMNS = [...PLACE_COLUMNS, ...EXPORT_COLUMNS.keys()];
const MARKUPS_SCHEMA =
  "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/markups-schema-v1.0.3.json#";

/**
 * Landmarks and curves of an export as rows of labels.csv: pixels of the PNG named, 0 in the middle of the first one. Between two PNGs the
 * nearest is named. A curve has a row for each vertex, with cells of CURVE_COLUMNS behind.
 */
export function rowsOf(points, imageNames, own) {
  const stated = [...EXPORT_COLUMNS.values()].map((part) => own[part]);
  const row = (label, { x, y, slice }) => [imageNames[shownOn({ slice })], slice, label, x, y, ...stated];
  return points.flatMap((item) =>
    isCurve(item) ? item.curve.vertices.map((vertex, i) => [...row(item.label, vertex), ...cellsOfVertex(item.curve, item.id, i)]) : [row(item.label, item)],
  );
}

/** Rows as labels.csv; without curves there are no columns for them. */
export function writeCsv(rows) {
  const isOfCurve = (row) => row.length > OWN_COLUMNS.length;
  if (!rows.some(isOfCurve)) return writeTable([OWN_COLUMNS, ...rows]);
  return writeTable([[...OWN_COLUMNS, ...CURVE_COLUMNS], ...rows.map((row) => (isOfCurve(row) ? row : [...row, ...CELLS_OF_POINT]))]);
}

/**
 * What a text or CSV file holds: {points, isUnproved, dropped} when its header has x and y, else {names}. `isUnproved`: some rows have
 * no tag that says which export they are of; `dropped` are columns not kept. `stack` is what it is read for: {names, mapping, own}, the
 * PNGs, their mapping and the export.
 */
export function readTable(text, fileName, stack) {
  const ofPoints = delimiterOf(text);
  if (ofPoints !== null) return readPoints(parseTable(text, ofPoints), ofPoints, stack);
  for (const delimiter of DELIMITERS) {
    const header = headerOf(text, delimiter);
    const column = ["label", "name"].map((name) => header.indexOf(name)).find((index) => index >= 0);
    if (column !== undefined) {
      const rows = parseTable(text, delimiter).slice(1);
      return { names: checkedNames(rows.map((row) => row[column] ?? "")) };
    }
  }
  if (/\.(csv|tsv)$/i.test(fileName)) {
    throw new Error("the header has neither columns x and y (landmarks) nor a column label or name (a list of names)");
  }
  return { names: checkedNames(text.split(/\r?\n/)) };
}

/** {points, isUnproved, dropped} of the rows of a table of points, its header first. Rows without cells are passed by. */
export function readPoints(rows, delimiter, stack) {
  const header = rows[0].map((name) => name.trim().toLowerCase());
  return { ...pointsOf(rows, header, delimiter, stack), dropped: droppedOf(rows, header, stack.own) };
}

/** What divides the cells of a table of points; null where its header has no x and y. */
export function delimiterOf(text) {
  const isOfPoints = (header) => header.includes("x") && header.includes("y");
  return DELIMITERS.find((delimiter) => isOfPoints(headerOf(text, delimiter))) ?? null;
}

function headerOf(text, delimiter) {
  try {
    const [cells] = parseTable(text.split(/\r?\n/, 1)[0], delimiter);
    return (cells ?? []).map((name) => name.trim().toLowerCase());
  } catch {
    return [];
  }
}

function checkedNames(lines) {
  const names = lines.map((line) => line.trim()).filter((line) => line !== "");
  if (names.length === 0) throw new Error("there are no names in it");
  if (names.length > MOST_ITEMS) throw new Error(`there are more than ${MOST_ITEMS} names in it`);
  const long = names.findIndex((name) => name.length > 200);
  if (long >= 0) throw new Error(`name ${long + 1} is longer than 200 characters: is this a list of names?`);
  return names;
}

/** Columns that are not saved again, or with other cells. */
function droppedOf(rows, header, own) {
  const isKept = (cell, part) => cell === "" || cell.toLowerCase() === own[part].toLowerCase();
  return header.filter((name, i) => {
    const part = EXPORT_COLUMNS.get(name);
    return name !== "" && (part ? !rows.slice(1).every((cells) => isKept((cells[i] ?? "").trim(), part)) : ![...PLACE_COLUMNS, ...CURVE_COLUMNS].includes(name));
  });
}

function pointsOf(rows, header, delimiter, stack) {
  const { names, mapping, own } = stack;
  const slices = slicesByName(names);
  const points = [];
  let isUnproved = false;
  const twice = OWN_COLUMNS.find((name) => header.indexOf(name) !== header.lastIndexOf(name));
  if (twice) throw new Error(`the header has the column ${twice} twice`);
  rows.slice(1).forEach((cells, i) => {
    if (cells.every((cell) => cell.trim() === "")) return;
    const where = `row ${i + 2}`;
    if (cells.length !== header.length) throw new Error(`${where} has ${cells.length} cells, but the header has ${header.length}`);
    const cell = (name) => (header.includes(name) ? (cells[header.indexOf(name)] ?? "") : "");
    const number = (name) => parseNumber(cell(name), delimiter, `${where}: ${name}`);
    const stated = statedIn(cell);
    refuseOther(stated, own, where);
    isUnproved ||= own.tag !== "" && stated.tag === "" && taggedName(imageKey(cell("image")))?.tag !== own.tag;
    const point = { label: cell("label"), x: number("x"), y: number("y"), slice: null };
    const named = cell("image").trim() === "" ? null : sliceNamed(cell("image").trim(), stack, slices, where);
    const counted = cell("slice").trim() === "" ? null : number("slice");
    if (named !== null && counted !== null && Math.abs(named - counted) > 0.5) {
      throw new Error(`${where}: image ${cell("image").trim()} is slice ${named}, but the column slice says ${counted}`);
    }
    point.slice = counted ?? named ?? (names.length === 1 ? 0 : null);
    if (point.slice === null) throw new Error(`${where}: neither image nor slice is given`);
    points.push({ ...checkedPoint(point, mapping, where), where, shape: shapeOf(cell, where) });
  });
  if (points.length > MOST_ITEMS) throw new Error(`there are more than ${MOST_ITEMS} landmarks in it`);
  if (points.length === 0) throw new Error("there are no landmarks in it");
  return { points: withCurves(points), isUnproved };
}

/** What a row says of the shape it is a vertex of. */
function shapeOf(cell, where) {
  const [type, id, vertex, count] = CURVE_COLUMNS.map((name) => cell(name).trim());
  const whole = (text, name) => {
    if (!/^\d{0,9}$/.test(text)) throw new Error(`${where}: ${name} "${text.slice(0, 20)}" is not a whole number`);
    return Number(text);
  };
  return { type: type.toLowerCase(), id, vertex: whole(vertex, "vertex"), count: whole(count, "curve_points") };
}

function checkedPoint(point, mapping, where) {
  const { size } = mapping;
  const outside = [point.x, point.y, point.slice].some((value, i) => !(value >= -0.5 && value <= size[i] - 0.5));
  if (outside) {
    throw new Error(`${where}: x ${point.x}, y ${point.y}, slice ${point.slice} lies outside this stack of ${size.join(" × ")} pixels`);
  }
  told(where, () => mapping.toPatient?.([point.x, point.y, point.slice]));
  return point;
}

/** The export that a row states; what is no tag in a column of that name is somebody else's. */
function statedIn(cell) {
  const [specimen, series, tag] = [...EXPORT_COLUMNS.keys()].map((name) => cell(name).trim());
  return { specimen, series, tag: isTag(tag) ? tag : "" };
}

/** The slice that a name means: of a PNG here, or number and tag of one that was exported under another name. */
function sliceNamed(image, { names, own }, slices, where) {
  const key = imageKey(image);
  if (slices.has(key)) return slices.get(key);
  const tagged = taggedName(key);
  if (tagged) refuseOther({ tag: tagged.tag, series: "", specimen: "" }, own, `${where}: image ${image}`);
  if (tagged && tagged.number < names.length) return tagged.number;
  throw new Error(`${where}: this stack has no image ${image}`);
}

/** Slices by the keys of their images, with the tag of the export and without. */
function slicesByName(imageNames) {
  const keys = imageNames.map(imageKey);
  return new Map([keys.map((key) => taggedName(key)?.base ?? key), keys].flatMap((names) => names.map((name, i) => [name, i])));
}

/** An image name without folders, extension and case, as labels name it. */
export function imageKey(name) {
  const base = name.trim().replaceAll("\\", "/").split("/").pop();
  const stem = base.replace(IMAGE_EXTENSION, "");
  return (stem || base).toLowerCase();
}

/**
 * Points {label, patient, own} and curves {label, closed, patients, own} as a Slicer markups file, LPS mm. Slicer keeps the description of
 * each point: of which export it is. Curves have their vertices as they were drawn.
 */
export function writeMarkups(points, curves = []) {
  const control = ({ label, patient, own }, i) => ({ id: String(i + 1), label, description: toDescription(own), position: patient, positionStatus: "defined" });
  const markup = (type, name, some) => ({ type, ...name, coordinateSystem: "LPS", coordinateUnits: "mm", controlPoints: some.map(control) });
  const drawn = curves.map(({ label, closed, patients, own }) =>
    markup(closed ? "ClosedCurve" : "Curve", { name: label }, patients.map((patient, i) => ({ label: `${label}-${i + 1}`, patient, own }))),
  );
  const lists = points.length > 0 || drawn.length === 0 ? [markup("Fiducial", {}, points)] : [];
  return `${JSON.stringify({ "@schema": MARKUPS_SCHEMA, markups: [...lists, ...drawn] }, null, 1)}\n`;
}

/** {points, names} of a Slicer markups file: points {label, x, y, slice} where the stack has them, names without a place. */
export function readMarkups(text, { mapping, own }) {
  if (!mapping.inPatient) throw new Error("this stack has no patient geometry, so points in millimetres have no place on it");
  const document = wholeJson(text);
  if (!Array.isArray(document?.markups)) throw new Error("it is not a Slicer markups file: it has no list of markups");
  const points = [];
  const names = [];
  for (const markup of document.markups) {
    const sign = { LPS: 1, RAS: -1 }[markup?.coordinateSystem ?? "LPS"];
    if (!sign) throw new Error(`coordinate system ${String(markup.coordinateSystem).slice(0, 40)} is neither LPS nor RAS`);
    if ((markup.coordinateUnits ?? "mm") !== "mm") throw new Error("its units are not millimetres");
    const vertices = [];
    const isOfCurve = ["Curve", "ClosedCurve"].includes(markup.type);
    for (const point of Array.isArray(markup?.controlPoints) ? markup.controlPoints : []) {
      const where = `point ${points.length + names.length + 1}`;
      const label = typeof point?.label === "string" ? point.label : "";
      if (typeof point?.description === "string") refuseOther(fromDescription(point.description), own, where);
      if ((point?.positionStatus ?? "defined") !== "defined") {
        if (label.trim() !== "") names.push(label.trim());
        continue;
      }
      const position = point?.position;
      if (!Array.isArray(position) || position.length !== 3 || !position.every(Number.isFinite)) {
        throw new Error(`${where} has no position of three numbers`);
      }
      const [x, y, slice] = placed(mapping, [sign * position[0], sign * position[1], position[2]], where);
      const placedPoint = checkedPoint({ label, x, y, slice }, mapping, where);
      if (isOfCurve) vertices.push({ x, y, slice });
      else points.push(placedPoint);
    }
    if (vertices.length > 0) points.push(curveOfMarkup(markup, vertices));
  }
  if (points.length + names.length === 0) throw new Error("there are no points in it");
  if (points.length + names.length > MOST_ITEMS) throw new Error(`there are more than ${MOST_ITEMS} points in it`);
  return { points, names };
}

function curveOfMarkup(markup, vertices) {
  const closed = markup.type === "ClosedCurve";
  const label = typeof markup.name === "string" ? markup.name : "";
  return { label, x: null, y: null, slice: null, curve: { closed, count: null, vertices } };
}

/** A slice within a ten-millionth of a whole one is that one: what is left is rounding. */
function placed(mapping, patient, where) {
  const [x, y, slice] = told(where, () => mapping.fromPatient(patient));
  return [x, y, Math.abs(slice - Math.round(slice)) < 1e-7 ? Math.round(slice) : slice];
}

/** What `work` returns; an Error of it names the place in the file. */
function told(where, work) {
  try {
    return work();
  } catch (error) {
    throw new Error(`${where}: ${error.message}`);
  }
}

function wholeJson(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`it is not complete JSON (${error.message})`);
  }
}

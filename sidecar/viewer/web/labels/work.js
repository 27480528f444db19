// The work: a list of landmarks, as plain data. Every change makes a new list, so undo is keeping the old one.
//
// An item is {id, label, listed, x, y, slice}: `listed` when its name came from a template, and x, y, slice null while it is not
// placed. A curve has no one place: see curves.js. x and y are PNG pixels ("center"), slice is the 0-based PNG number, fractional when it was imported from between two.

import { checkedCurve, isCurve } from "./curves.js";
import { nearest } from "../geometry/mapping.js";

const LONGEST_LABEL = 200;
export const MOST_ITEMS = 20000;

export const isPlaced = (item) => item.x !== null;
/** The place of a landmark: PNG pixel x, y and slice. */
export const spotOf = ({ x, y, slice }) => [x, y, slice];
/** The PNG slice a landmark is shown on. */
export const shownOn = (item) => Math.max(nearest(item.slice), 0);

const nextId = (items) => items.reduce((largest, item) => Math.max(largest, item.id), 0) + 1;

/** The item a click places: the chosen one while it has no place, else the first name after it without one, else a new one. */
export function itemToPlace(items, selected) {
  const from = Math.max(items.findIndex((item) => item.id === selected), 0);
  return [...items.slice(from), ...items.slice(0, from)].find((item) => !isPlaced(item) && !isCurve(item)) ?? null;
}

function freeLabel(items, prefix, curve) {
  const taken = new Set(items.map((item) => item.label));
  let number = items.filter((item) => !item.listed && isCurve(item) === Boolean(curve)).length + 1;
  while (taken.has(`${prefix}${number}`)) number += 1;
  return `${prefix}${number}`;
}

/** A new item, named after its kind: [items, its id]. */
export function addItem(items, prefix, values) {
  const added = { id: nextId(items), label: freeLabel(items, prefix, values.curve), listed: false, x: null, y: null, slice: null, ...values };
  return [[...items, added], added.id];
}

/** Place the next item at {x, y, slice}: [items, its id]. */
export function place(items, selected, point) {
  const item = itemToPlace(items, selected);
  if (item) return [change(items, item.id, point), item.id];
  return addItem(items, "L", point);
}

export const change = (items, id, values) => items.map((item) => (item.id === id ? { ...item, ...values } : item));

/** Take a landmark off the image; a name from a template stays in the list, to be placed again. */
export function remove(items, id) {
  const item = items.find((candidate) => candidate.id === id);
  if (item && item.listed && isPlaced(item)) return change(items, id, { x: null, y: null, slice: null });
  return items.filter((candidate) => candidate.id !== id);
}

export const trimLabel = (label) => label.replace(/[\0-\x1f\x7f]+/g, " ").trim().slice(0, LONGEST_LABEL);

/** Names of a template put into the list, those it already has left out: [items, how many are new]. */
export function addNames(items, names) {
  const known = new Set(items.map((item) => item.label));
  const fresh = [...new Set(names)].filter((name) => !known.has(name));
  const first = nextId(items);
  const added = fresh.map((label, i) => ({ id: first + i, label, listed: true, x: null, y: null, slice: null }));
  return [[...items, ...added], added.length];
}

/** What makes a point the same as another one. */
const keyOf = ({ label, x, y, slice, curve }) => JSON.stringify([label, x, y, slice, curve]);

/**
 * Points {label, x, y, slice} of a file put into the list: [items, how many are new]. A point takes the open place of its name;
 * one that is in the list already, with the same name and the same numbers, is left out.
 */
export function addPoints(items, points) {
  const known = new Set(items.map(keyOf));
  const open = new Map(items.filter((item) => !isPlaced(item) && !isCurve(item)).map((item) => [item.label, item.id]));
  const filled = new Map();
  const added = [];
  let id = nextId(items);
  for (const point of points) {
    if (known.has(keyOf(point))) continue;
    known.add(keyOf(point));
    if (open.has(point.label) && !isCurve(point)) {
      filled.set(open.get(point.label), point);
      open.delete(point.label);
    } else {
      added.push({ id: id++, listed: false, ...point });
    }
  }
  const merged = items.map((item) => (filled.has(item.id) ? { ...item, ...filled.get(item.id) } : item));
  return [[...merged, ...added], filled.size + added.length];
}

/**
 * The work of two who both began from the points `base`, one with `items`, the other with the points `theirs`: [items, how many came,
 * how many went]. What either placed is there, and what either took away is not; what both moved is there twice.
 */
export function merged(items, base, theirs) {
  const [before, after] = [new Set(base.map(keyOf)), new Set(theirs.map(keyOf))];
  const gone = new Set(items.filter((item) => (isPlaced(item) || isCurve(item)) && before.has(keyOf(item)) && !after.has(keyOf(item))).map((item) => item.id));
  const opened = items.map((item) => (gone.has(item.id) ? { ...item, x: null, y: null, slice: null } : item));
  const [together, came] = addPoints(opened, theirs.filter((point) => !before.has(keyOf(point))));
  return [together.filter((item) => isPlaced(item) || item.listed || !gone.has(item.id)), came, gone.size];
}

/** Whether two lists have the same points, in any order. */
export function samePoints(ones, others) {
  const [these, those] = [ones, others].map((points) => points.map(keyOf).sort());
  return these.length === those.length && these.every((key, i) => key === those[i]);
}

/** Items as they come out of storage, or null where they are not what this page stores. */
export function checkedItems(items) {
  const sound =
    Array.isArray(items) &&
    items.length <= MOST_ITEMS &&
    items.every(
      (item) =>
        Number.isInteger(item?.id) &&
        typeof item.label === "string" &&
        typeof item.listed === "boolean" &&
        ([item.x, item.y, item.slice].every(Number.isFinite) || [item.x, item.y, item.slice].every((value) => value === null)) &&
        checkedCurve(item.curve) !== null,
    ) &&
    new Set(items.map((item) => item.id)).size === items.length;
  const kept = ({ id, label, listed, x, y, slice, curve }) => ({ id, label, listed, x, y, slice, ...(curve && { curve: checkedCurve(curve) }) });
  return sound ? items.map(kept) : null;
}

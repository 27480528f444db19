// Everything that changes the list of landmarks: placing, moving, naming, undoing, files, and keeping it all.

import { decodeText } from "../labels/csv.js";
import { isCurve, isDrawn, withVertex } from "../labels/curves.js";
import { readMarkups, readTable, rowsOf, writeCsv, writeMarkups } from "../labels/files.js";
import { labelFile } from "../labels/identity.js";
import { distanceBetween } from "../geometry/mapping.js";
import { addNames, addPoints, change, isPlaced, itemToPlace, place, remove, spotOf, trimLabel } from "../labels/work.js";

const STEPS_KEPT = 200;
const LARGEST_FILE = 64 * 2 ** 20;
const NOT_KEPT_HERE = "This browser keeps nothing for this page. What is not saved in labels.csv is lost when you close it.";
const NOT_KEPT = "This browser does not keep data for pages opened from disk. Export your landmarks before you close the page.";

/** A click is no finer than a screen pixel: a thousandth of a PNG pixel is kept of it. */
const rounded = (value) => Math.round(value * 1000) / 1000;

export class Landmarks {
  constructor(viewer) {
    this.viewer = viewer;
    this.past = [];
    this.future = [];
    viewer.storage.watch((items, base) => this.adopt(items, base));
  }

  get state() {
    return this.viewer.state;
  }

  get items() {
    return this.state.items;
  }

  /** The part of the state that is about landmarks, as it was kept. */
  restored() {
    const { items, problem } = this.viewer.storage.load();
    const warning = problem ?? (this.viewer.storage.works() ? null : this.notKept());
    return {
      items: addNames(items ?? this.begun(), this.viewer.server?.names ?? [])[0],
      selected: null,
      drawing: null, // the curve that clicks add vertices to
      drag: null,
      measured: [null, null],
      ...(warning && { message: { text: warning, bad: true } }),
    };
  }

  /** The list of a page that is opened for the first time: on a stack around one landmark, its name, to be placed. */
  begun() {
    const name = trimLabel(this.viewer.page.document.zoom?.label ?? "");
    return name === "" ? [] : addNames([], [name])[0];
  }

  notKept() {
    return this.viewer.server ? NOT_KEPT_HERE : NOT_KEPT;
  }

  item(id) {
    return this.items.find((item) => item.id === id) ?? null;
  }

  /** The item a click would place now; null when it would make a new one. */
  next() {
    return itemToPlace(this.items, this.state.selected);
  }

  /** Take a new list: the old one can be had back, and the new one is kept at once. */
  commit(items, changes = {}) {
    if (items === this.items) return;
    this.past = [...this.past, this.items].slice(-STEPS_KEPT);
    this.future = [];
    this.adoptList(items, changes);
  }

  undo() {
    if (this.past.length === 0) return;
    this.future = [this.items, ...this.future];
    this.adoptList(this.past.pop(), { spoken: "Undone" });
  }

  redo() {
    if (this.future.length === 0) return;
    this.past = [...this.past, this.items];
    this.adoptList(this.future.shift(), { spoken: "Redone" });
  }

  adoptList(items, changes) {
    this.viewer.set({ message: null, spoken: "", ...changes, items, drag: null });
    if (!this.item(this.state.selected)) this.viewer.set({ selected: null });
    if (!this.viewer.storage.save(items, this.viewer.saving?.pointsOf(this.viewer))) this.viewer.say(this.notKept(), true);
    this.viewer.saving?.changed();
  }

  /** Another tab with the same export changed the list. */
  adopt(items, base) {
    if (JSON.stringify(items) !== JSON.stringify(this.items)) {
      this.past = [...this.past, this.items].slice(-STEPS_KEPT);
      this.viewer.set({ items, drag: null, selected: null, message: { text: "The list was taken over from another tab.", bad: false } });
    }
    this.viewer.saving?.adopted(this.viewer, base);
  }

  // One landmark

  /** Place the next landmark at a spot whose voxel is on the screen: whether it is in the stack. */
  placeAt(spot) {
    const [x, y, slice] = spot.map(rounded);
    if (!this.viewer.contains([x, y, slice])) {
      this.viewer.say("This place is outside the image.");
      return false;
    }
    if (this.viewer.drawing.item) {
      this.viewer.drawing.add({ x, y, slice });
      return true;
    }
    const [items, id] = place(this.items, this.state.selected, { x, y, slice });
    this.commit(items, { selected: id });
    this.viewer.set({ spoken: `${this.item(id).label} placed on slice ${slice}` });
    return true;
  }

  /** Where a landmark or vertex {id, vertex} that is being dragged would be dropped; it is moved by `drop`. */
  drag({ id, vertex }, [x, y, slice]) {
    this.viewer.set({ drag: { id, vertex, x, y, slice } });
  }

  /** Move what is being dragged to where it is, if that is in the stack. */
  drop() {
    const { drag } = this.state;
    if (!drag) return;
    const { curve, ...item } = this.item(drag.id);
    const before = spotOf(curve?.vertices[drag.vertex] ?? item);
    const [x, y, slice] = spotOf(drag).map((value, axis) => (value === before[axis] ? value : rounded(value)));
    const moved = curve ? { curve: { ...curve, vertices: withVertex(curve.vertices, drag.vertex, { x, y, slice }) } } : { x, y, slice };
    if (this.viewer.contains([x, y, slice])) this.commit(change(this.items, drag.id, moved), { selected: drag.id });
    else this.cancelDrag();
  }

  cancelDrag() {
    this.viewer.set({ drag: null });
  }

  /** Move the chosen landmark to the cross, or to the pointer where there is none. */
  moveToCursor() {
    const item = this.item(this.state.selected);
    const spot = this.viewer.crossSpot() ?? this.viewer.cursorSpot();
    if (!item || !isPlaced(item) || !this.viewer.sees(spot) || !this.viewer.contains(spot)) return;
    const [x, y, slice] = spot.map(rounded);
    this.commit(change(this.items, item.id, { x, y, slice }));
  }

  remove(id = this.state.selected) {
    if (id !== null) this.commit(remove(this.items, id));
  }

  rename(id, text) {
    const label = trimLabel(text);
    if (label !== "" && label !== this.item(id)?.label) this.commit(change(this.items, id, { label }));
  }

  /** Choose a landmark and show where it is. */
  select(id, show = true) {
    this.viewer.set({ selected: id });
    const item = this.item(id);
    const spot = isCurve(item) ? item.curve.vertices[0] : item && isPlaced(item) && item;
    if (!show || !spot) return;
    this.viewer.lookAt(spotOf(spot));
    this.viewer.reveal([spot.x, spot.y]);
    this.viewer.across.reveal(spotOf(spot));
  }

  /** Choose the landmark `steps` further in the list. */
  selectNext(steps) {
    if (this.items.length === 0) return;
    const at = this.items.findIndex((item) => item.id === this.state.selected);
    const start = at < 0 && steps < 0 ? 0 : at;
    this.select(this.items[(start + steps + this.items.length) % this.items.length].id);
  }

  // Distances

  measure(end, id) {
    this.viewer.set({ measured: this.state.measured.map((old, i) => (i === end ? id : old)) });
  }

  /** {ends, length, unit} of the distance that is being measured, or null. Source pixels count only within one slice. */
  distance() {
    const ends = this.state.measured.map((id) => this.item(id));
    if (!ends.every((item) => item && isPlaced(item)) || ends[0] === ends[1]) return null;
    const places = ends.map((item) => this.viewer.placeOf([item.x, item.y], item.slice));
    const { unit } = this.viewer.looks;
    if (unit === "mm") return { ends, unit, length: distanceBetween(places[0].patient, places[1].patient) };
    return { ends, unit, length: ends[0].slice === ends[1].slice ? distanceBetween(places[0].source, places[1].source) : null };
  }

  // Files

  /** Read landmarks or names from a File the user chose or dropped. */
  async open(file) {
    try {
      if (file.size > LARGEST_FILE) throw new Error("it is too large for a list of landmarks");
      const text = decodeText(new Uint8Array(await file.arrayBuffer()));
      const isMarkups = text.trimStart().startsWith("{");
      if (this.viewer.zooms && !isMarkups) this.viewer.zooms.read(text, file.name);
      else this.take(isMarkups ? readMarkups(text, this.viewer) : readTable(text, file.name, this.viewer), file.name);
    } catch (error) {
      this.viewer.say(`${file.name}: ${error.message}`, true);
    }
  }

  take({ points = [], names = [], dropped = [], isUnproved = false }, fileName) {
    const [named, newNames] = addNames(this.items, names);
    const [items, newPoints] = addPoints(named, points);
    if (newNames + newPoints > 0) this.commit(items);
    const parts = [];
    if (points.length > 0) parts.push(`new landmarks: ${newPoints} of ${points.length}`);
    if (names.length > 0) parts.push(`new names: ${newNames} of ${names.length}`);
    if (isUnproved) parts.push("no tag says which export they belong to, so they were taken as those of this export");
    if (dropped.length > 0) parts.push(`columns not kept: ${dropped.join(", ")}`);
    this.viewer.say(`${fileName}: ${parts.join("; ")}.`);
  }

  placed() {
    return this.items.filter(isPlaced);
  }

  /** What is saved of this export: rows of labels.csv, and points of the patient. */
  rows() {
    return rowsOf(this.finished(), this.viewer.names, this.viewer.own);
  }

  patientPoints() {
    const { own } = this.viewer;
    return this.placed().map(({ label, x, y, slice }) => ({ label, own, patient: this.viewer.placeOf([x, y], slice).patient }));
  }

  patientCurves() {
    const { own } = this.viewer;
    const patient = ({ x, y, slice }) => this.viewer.placeOf([x, y], slice).patient;
    return this.items.filter(isDrawn).map(({ label, curve }) => ({ label, own, closed: curve.closed, patients: curve.vertices.map(patient) }));
  }

  /** What can be saved: landmarks that have a place, and curves with vertices enough. */
  finished() {
    return this.items.filter((item) => isPlaced(item) || isDrawn(item));
  }

  /** Those whose landmarks are saved together. */
  get together() {
    return this.viewer.zooms ? this.viewer.zooms.viewers.map((viewer) => viewer.landmarks) : [this];
  }

  fileName(ending) {
    return labelFile(this.viewer.zooms ? { fileStem: this.viewer.folders[0] } : this.viewer.own, ending);
  }

  /** All that is placed, as labels.csv. */
  csv() {
    return writeCsv(this.together.flatMap((landmarks) => landmarks.rows()));
  }

  saveCsv() {
    download(this.fileName(".csv"), "text/csv", this.csv());
  }

  saveMarkups() {
    const [points, curves] = ["patientPoints", "patientCurves"].map((of) => this.together.flatMap((landmarks) => landmarks[of]()));
    download(this.fileName(".mrk.json"), "application/json", writeMarkups(points, curves));
  }
}

function download(name, type, text) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60000);
}

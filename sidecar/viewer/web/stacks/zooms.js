// Stacks around landmarks, one after the other: which is shown, how far each landmark was moved, and their labels in one file.

import { parseTable } from "../labels/csv.js";
import { delimiterOf, imageKey, readPoints } from "../labels/files.js";
import { isTag, taggedName } from "../labels/identity.js";
import { distanceBetween } from "../geometry/mapping.js";
import { Viewer } from "./viewer.js";
import { isPlaced } from "../labels/work.js";

/**
 * All stacks of a page: `page` holds {zooms, sources}, of each stack what a page of its own would have, with the number of its source.
 * `viewer` is the one that is on the screen.
 */
export class Zooms {
  constructor(page, changed) {
    this.viewers = page.zooms.map(({ source, ...zoom }) => {
      const served = page.served && { ...page.served, folders: [page.served.folders.at(-1), zoom.folder] };
      const stack = new Viewer({ ...zoom, document: { ...zoom.document, source: page.sources[source] }, served }, changed);
      stack.zooms = this;
      return stack;
    });
    [this.viewer] = this.viewers;
  }

  /** Show the first stack whose landmark is not placed. */
  begin() {
    this.viewer = this.viewers.find((viewer) => !isDone(viewer)) ?? this.viewer;
    this.viewer.open();
    this.choose();
  }

  /** Show another stack, with its landmark chosen. Bad news goes along: it stays until it is closed. */
  show(viewer) {
    if (viewer !== this.viewer) {
      const { message } = this.viewer.state;
      this.viewer.leave();
      if (message?.bad) {
        this.viewer.set({ message: null });
        viewer.set({ message });
      }
      this.viewer = viewer;
      viewer.open();
    }
    this.choose();
    const at = this.viewers.indexOf(viewer) + 1;
    viewer.set({ spoken: `${landmarkOf(viewer)}, landmark ${at} of ${this.viewers.length}` });
  }

  /** The landmarks of every stack: the same array as before where none of them changed. */
  lists() {
    const lists = this.viewers.map((viewer) => viewer.state.items);
    if (!lists.every((list, i) => list === this.listed?.[i])) this.listed = lists;
    return this.listed;
  }

  /** Show the stack `steps` further. */
  step(steps) {
    const at = this.viewers.indexOf(this.viewer);
    this.show(this.viewers[(at + steps + this.viewers.length) % this.viewers.length]);
  }

  choose() {
    const item = refined(this.viewer) ?? this.viewer.state.items[0];
    if (item) this.viewer.set({ selected: item.id });
  }

  /** Read rows of labels.csv, each into the stack whose PNG it names. */
  read(text, fileName) {
    const parts = this.split(text);
    if (parts.size === 0) throw new Error("there are no landmarks in it");
    for (const [viewer, found] of parts) viewer.landmarks.take(found, fileName);
    const points = [...parts.values()].reduce((sum, found) => sum + found.points.length, 0);
    this.viewer.say(`${fileName}: landmarks read: ${points}, on stacks: ${parts.size}.`);
  }

  /** The points of labels.csv, by the viewer whose stack they are on. */
  partsOf(text) {
    return new Map(text === "" ? [] : [...this.split(text)].map(([viewer, { points }]) => [viewer, points]));
  }

  /** What rows of labels.csv hold, as `readPoints` has it, by the viewer whose stack they are on. Every fault is an Error that names the row. */
  split(text) {
    const delimiter = delimiterOf(text);
    if (delimiter === null) throw new Error("the header has no columns x and y");
    const [header, ...rows] = parseTable(text, delimiter);
    const column = (cells, name) => cells[header.findIndex((title) => title.trim().toLowerCase() === name)]?.trim() ?? "";
    const parts = new Map(); // each with all rows, those of the others empty, so that rows keep their numbers
    rows.forEach((cells, i) => {
      if (cells.every((cell) => cell.trim() === "")) return;
      const viewer = this.stackOf(column(cells, "image"), column(cells, "tag"), column(cells, "label"), `row ${i + 2}`);
      if (!parts.has(viewer)) parts.set(viewer, [header, ...rows.map(() => [])]);
      parts.get(viewer)[i + 1] = cells;
    });
    return new Map([...parts].map(([viewer, some]) => [viewer, readPoints(some, delimiter, viewer)]));
  }

  /** The stack that a row is of: by the PNG that it names, or else by its tag and the landmark's name. */
  stackOf(image, tag, label, where) {
    const key = imageKey(image);
    const stated = isTag(tag) ? tag.toLowerCase() : taggedName(key)?.tag;
    const named = this.viewers.filter((viewer) => image !== "" && viewer.names.some((name) => imageKey(name) === key));
    const tagged = this.viewers.filter((viewer) => stated !== undefined && viewer.own.tag === stated);
    const about = tagged.filter((viewer) => viewer.page.document.zoom.label === label);
    const [found] = [named, about, tagged].filter((some) => some.length === 1).flat();
    if (found) return found;
    throw new Error(`${where}: ${tagged.length > 1 ? "several of these stacks have its tag" : "it belongs to none of these stacks"}`);
  }
}

/** What a stack is around. */
export const landmarkOf = (viewer) => viewer.page.document.zoom.label || viewer.page.folder;

/** The landmark of a stack that was placed again: that of its name, or else the only one. */
export function refined(viewer) {
  const placed = viewer.state.items.filter(isPlaced);
  return placed.find((item) => item.label === viewer.page.document.zoom.label) ?? (placed.length === 1 ? placed[0] : null);
}

const isDone = (viewer) => refined(viewer) !== null;

/** {mm, voxels} from where the coarse labelling had the landmark to where it was placed again; null before. mm is null without geometry. */
export function movedBy(viewer) {
  const item = refined(viewer);
  if (!item) return null;
  const { zoom } = viewer.page.document;
  const { source, patient } = viewer.placeOf([item.x, item.y], item.slice);
  return { mm: patient && zoom.patient && distanceBetween(patient, zoom.patient), voxels: distanceBetween(source, zoom.source) };
}

// The one stack of a page, where `zooms.js` has several.

import { readTable } from "../labels/files.js";
import { Viewer } from "./viewer.js";

export class Alone {
  constructor(page, changed) {
    this.viewer = new Viewer(page, changed);
    this.viewers = [this.viewer];
  }

  begin() {
    this.viewer.open();
  }

  /** The points of labels.csv, by the viewer whose stack they are on. */
  partsOf(text) {
    return new Map([[this.viewer, text === "" ? [] : readTable(text, "labels.csv", this.viewer).points]]);
  }
}

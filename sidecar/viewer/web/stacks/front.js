// What can be pointed at, and how screen points on it become places in the stack: the slice itself; `across.js` has the planes across it.

import { verticesOf } from "../labels/curves.js";
import { isPlaced, shownOn } from "../labels/work.js";

/**
 * A picture of the stack on the screen. A spot is a place in the stack: PNG pixel x, y and slice. Those that extend it have
 *
 *   toScreen(spot), toSpot(screen)  screen points are CSS pixels from the upper left corner of the picture
 *   seen(), sees(seen, spot)        what a press begins on, and whether it is still there, and its voxels too, where the press ends
 *   isOn(place), carried(place, spot) whether a landmark or vertex is shown, and where one goes that is dragged to a spot
 *   look(spot)                      make it the point that all three planes go through
 *   zoom, pan, fit                  what of it is on the screen
 *   step(count)                     go to the next of its kind: of slices, columns or rows
 *   size()                          {width, height} on the screen
 *   axes                            those of the stack along the screen's right and down
 */
export class Surface {
  constructor(viewer) {
    this.viewer = viewer;
  }

  pointAt(screen) {
    this.viewer.pointAt(this.toSpot(screen), this);
  }

  place(screen, seen) {
    const spot = this.toSpot(screen);
    if (!this.sees(seen, spot)) return;
    if (this.viewer.landmarks.placeAt(spot)) this.look(spot);
  }

  /** What can be dragged, {id, vertex, x, y, slice}: landmarks; `vertex` is null. */
  handles() {
    const shown = this.viewer.state.items.filter((item) => this.isOn(item));
    return shown.map(({ id, x, y, slice }) => ({ id, vertex: null, x, y, slice }));
  }

  /** Screen pixels of one step along an axis of the stack, where `spot` is. */
  stepOnScreen(axis, spot) {
    const [before, after] = [-0.5, 0.5].map((half) => this.toScreen(spot.map((value, i) => (i === axis ? value + half : value))));
    return Math.hypot(after[0] - before[0], after[1] - before[1]);
  }
}

/** The slice that is shown. */
export class Front extends Surface {
  axes = [0, 1];

  toScreen([x, y]) {
    return this.viewer.toScreen([x, y]);
  }

  toSpot(screen) {
    return [...this.viewer.toImage(screen), this.viewer.state.shown];
  }

  seen() {
    return this.viewer.state.shown;
  }

  sees(seen) {
    return this.viewer.state.image !== null && seen === this.viewer.state.shown;
  }

  isOn(place) {
    const { image, shown } = this.viewer.state;
    return image !== null && isPlaced(place) && shownOn(place) === shown;
  }

  /** Vertices of curves too, which this surface alone shows. */
  handles() {
    return [...super.handles(), ...this.viewer.state.items.flatMap(verticesOf).filter((vertex) => this.isOn(vertex))];
  }

  /** It stays in its slice, also between two. */
  carried({ slice }, [x, y]) {
    return [x, y, slice];
  }

  look([x, y]) {
    this.viewer.set({ point: [x, y, this.viewer.state.wanted] });
  }

  zoom(factor, screen) {
    this.viewer.zoom(factor, screen);
  }

  pan(right, down) {
    this.viewer.pan(right, down);
  }

  fit() {
    this.viewer.fit();
  }

  step(slices) {
    this.viewer.step(slices);
  }

  size() {
    return this.viewer.state.stage;
  }
}

// The two planes across the slice that is shown, through the point that all three share.

import { fitSheet, onScreen, onSheet, sheetOf, withinBox, zoomSheet } from "../geometry/cross.js";
import { Surface } from "./front.js";
import { nearest } from "../geometry/mapping.js";
import { Voxels, whyNoVoxels } from "../pixels/voxels.js";
import { isPlaced, shownOn, spotOf } from "../labels/work.js";

const LARGEST_ZOOM = 96; // screen pixels per PNG pixel along the straight axis, as in the slice

/** The planes of a viewer: `refusal` says why there are none, else `planes` are two and `voxels` what they are cut from. */
export class Across {
  constructor(viewer, urls) {
    const { mapping, names, page, server } = viewer;
    this.refusal = whyNoVoxels({ images: page.document.images, size: mapping.size, isServed: server !== null });
    if (this.refusal) return;
    const whole = urls.map((url) => new URL(url, globalThis.location.href).href);
    const changed = () => viewer.set({ answered: this.voxels.answered });
    this.voxels = new Voxels({ urls: whole, names, size: mapping.size, changed });
    this.planes = [new PlaneAcross(viewer, this.voxels, 0), new PlaneAcross(viewer, this.voxels, 1)];
  }

  /** Load the voxels, once: those that are on the screen have come before. */
  load(slice) {
    if (!this.refusal && !this.isLoading) this.voxels.load(slice);
    this.isLoading = true;
  }

  /** Let go of the voxels, which can be loaded again. */
  forget() {
    if (!this.refusal) this.voxels.forget();
    this.isLoading = false;
  }

  reveal(spot) {
    if (!this.refusal) this.planes.forEach((plane) => plane.reveal(spot));
  }
}

/** The plane of one place along axis `fixed`: 0 is that of an x, with slices to the right and y down, 1 that of a y, with x to the right. */
class PlaneAcross extends Surface {
  constructor(viewer, voxels, fixed) {
    super(viewer);
    this.voxels = voxels;
    this.fixed = fixed;
    this.axes = fixed === 0 ? [2, 1] : [0, 2];
    this.sheet = sheetOf(viewer.mapping, ...this.axes);
    this.fitted = true; // until the user zooms or pans, the whole plane is shown
  }

  /** {width, height, view} of its pane; null until it is on the page. */
  get pane() {
    return this.viewer.state.panes[this.fixed];
  }

  setPane(changes) {
    const panes = [...this.viewer.state.panes];
    panes[this.fixed] = { ...this.pane, ...changes };
    this.viewer.set({ panes });
  }

  resize(size) {
    this.setPane({ ...size, view: this.fitted || !this.pane ? fitSheet(this.sheet.box, size) : this.pane.view });
  }

  fit() {
    this.fitted = true;
    this.setPane({ view: fitSheet(this.sheet.box, this.pane) });
  }

  zoom(factor, screen = [this.pane.width / 2, this.pane.height / 2]) {
    this.fitted = false;
    this.setPane({ view: zoomSheet(this.pane.view, this.sheet.box, this.pane, screen, factor, LARGEST_ZOOM / this.sheet.pixel) });
  }

  pan(right, down) {
    this.fitted = false;
    const { view } = this.pane;
    this.setPane({ view: withinBox({ ...view, right: view.right - right / view.scale, down: view.down - down / view.scale }, this.sheet.box) });
  }

  /** Move the view so that a spot is on the pane, if it is not. */
  reveal(spot) {
    if (!this.pane) return;
    const { width, height, view } = this.pane;
    const [left, top] = this.toScreen(spot);
    if (left > 8 && top > 8 && left < width - 8 && top < height - 8) return;
    const [right, down] = this.onSheet(spot);
    this.setPane({ view: withinBox({ ...view, right, down }, this.sheet.box) });
  }

  onSheet(spot) {
    return this.sheet.toSheet(this.axes.map((axis) => spot[axis]));
  }

  toScreen(spot) {
    return onScreen(this.pane.view, this.pane, this.onSheet(spot));
  }

  toSpot(screen) {
    const found = this.sheet.toPixel(onSheet(this.pane.view, this.pane, screen));
    const spot = [...this.viewer.state.point];
    this.axes.forEach((axis, i) => {
      spot[axis] = found[i];
    });
    return spot;
  }

  /** Which column or row of voxels is shown. */
  seen() {
    return this.indexOf(this.viewer.state.point[this.fixed]);
  }

  indexOf(place) {
    return Math.min(Math.max(nearest(place), 0), this.viewer.mapping.size[this.fixed] - 1);
  }

  sees(seen, spot) {
    const slice = Math.min(shownOn({ slice: spot[2] }), this.viewer.mapping.size[2] - 1);
    return seen === this.seen() && this.voxels.has(slice);
  }

  isOn(place) {
    return isPlaced(place) && this.indexOf(spotOf(place)[this.fixed]) === this.seen();
  }

  /** It stays in its plane. */
  carried(place, spot) {
    return spot.map((value, axis) => (axis === this.fixed ? spotOf(place)[axis] : value));
  }

  look(spot) {
    this.viewer.lookAt(spot);
  }

  /** Screen pixels per PNG pixel along the straight axis. */
  zoomOfPixels() {
    return this.pane.view.scale * this.sheet.pixel;
  }

  size() {
    return this.pane;
  }

  step(count) {
    const spot = [...this.viewer.state.point];
    spot[this.fixed] = this.indexOf(this.seen() + count);
    this.viewer.lookAt(spot);
  }
}

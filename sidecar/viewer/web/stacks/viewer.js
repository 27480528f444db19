// The viewer without its looks: what is shown and what a user can do with it. Landmarks are in landmarks.js.

import { Across } from "./across.js";
import { unitsOf } from "../geometry/contrast.js";
import { nudgeOf } from "../geometry/cross.js";
import { Drawing } from "./drawing.js";
import { Front } from "./front.js";
import { exportOf, foldersOf } from "../labels/identity.js";
import { Images } from "../pixels/images.js";
import { Landmarks } from "./landmarks.js";
import { looksOf, subjectOf } from "../geometry/looks.js";
import { mappingOf, nearest } from "../geometry/mapping.js";
import { serverOf } from "../keeping/served.js";
import { storageOf } from "../keeping/storage.js";
import { fitView, panBy, toImage, toScreen, zoomAbout, zoomOf } from "../geometry/view.js";
import { shownOn } from "../labels/work.js";

const MESSAGE_STAYS = 8000;

/** The path of the folder that a page shows the PNGs of, as a URL has it, with the page's own name behind. */
const pathOf = ({ folder }) => globalThis.location.pathname.replace(/[^/]*$/, (name) => (folder ? `${encodeURIComponent(folder)}/${name}` : name));

/**
 * `page` is what the page was written with: the document, its digest, how a 16-bit stack was split, and ranges {lower, upper} of
 * PNG values: the whole, the one measured on the images, and the contrast to start with; and the folder of the PNGs where they are not beside the page. `changed` is called after every change.
 */
export class Viewer {
  constructor(page, changed) {
    this.page = page;
    this.changed = changed;
    this.mapping = mappingOf(page.document);
    this.looks = looksOf(page.document, this.mapping);
    this.subject = subjectOf(page.document);
    this.units = unitsOf(page.document.images);
    this.names = page.document.images.files.map((file) => file.name);
    this.zooms = null; // the stacks around landmarks that this one is shown with
    this.server = serverOf(page);
    this.folders = this.server?.folders ?? foldersOf(pathOf(page)); // that of the PNGs, and before it the one around it
    this.own = exportOf(page.document, this.folders);
    this.storage = storageOf(`${page.document.source.series_instance_uid} ${page.digest}`);
    this.saving = null; // of a served page: what saves its labels.csv
    this.landmarks = new Landmarks(this);
    this.drawing = new Drawing(this);
    const folder = [page.folder, page.split?.folder].filter(Boolean).map((name) => `${encodeURIComponent(name)}/`).join("");
    const urls = this.names.map((name) => folder + encodeURIComponent(name));
    this.front = new Front(this);
    this.across = new Across(this, urls);
    this.fitted = true; // until the user zooms or pans, the whole image is shown
    const [columns, rows, slices] = this.mapping.size;
    this.coarse = page.document.zoom && this.mapping.toPixel(page.document.zoom.source);
    const recalled = this.storage.recall();
    const first = this.coarse ? Math.min(Math.max(nearest(this.coarse[2]), 0), slices - 1) : (slices - 1) >> 1;
    const wanted = recalled.slice !== null && recalled.slice < slices ? recalled.slice : first;
    const middle = [(columns - 1) / 2, (rows - 1) / 2];
    this.state = {
      wanted,
      shown: null, // the slice whose image is on the screen: every number and every landmark belongs to this one
      image: null,
      failure: null,
      stage: { width: 0, height: 0 },
      view: null,
      cursor: [...middle, null], // a spot; slice null is the one that is shown
      point: [...middle, wanted], // the spot that all three planes go through
      over: this.front, // the surface that the cursor is on, or null
      byKeys: false, // whether the cross, and not the pointer, says where the cursor is
      three: this.across.refusal === null,
      panes: [null, null],
      answered: 0, // voxels' slices that came, or did not
      magnified: false,
      window: { ...page.contrast, inverted: false },
      space: recalled.space,
      message: null,
      spoken: "", // for screen readers
      help: false,
      saving: null, // of a served page: whether labels.csv holds the list
      ...this.landmarks.restored(),
    };
    this.images = new Images({
      urls,
      names: this.names,
      width: columns,
      height: rows,
      shown: (shown, image) => {
        this.set({ shown, image, failure: null });
        if (this.state.three) this.across.load(shown);
      },
      failed: (shown, failure) => this.set({ shown, image: null, failure }),
    });
  }

  /** Come on the screen: images are loaded from now on. */
  open() {
    this.images.show(this.state.wanted);
  }

  /** Leave the screen: what can be loaded again is let go. */
  leave() {
    this.landmarks.cancelDrag();
    this.images.forget();
    this.across.forget();
    this.set({ answered: 0 });
  }

  set(changes) {
    this.state = { ...this.state, ...changes };
    this.changed();
  }

  /** Tell the user something; bad news stays until it is closed. */
  say(text, bad = false) {
    const message = { text, bad };
    this.set({ message });
    if (!bad) setTimeout(() => this.state.message === message && this.set({ message: null }), MESSAGE_STAYS);
  }

  // Slices

  goTo(slice) {
    const wanted = Math.min(Math.max(Math.round(slice), 0), this.names.length - 1);
    if (wanted === this.state.wanted) return;
    const [x, y] = this.state.point;
    this.set({ wanted, point: [x, y, wanted], cursor: [...this.state.cursor.slice(0, 2), null] });
    this.storage.remember({ slice: wanted, space: this.state.space });
    this.images.show(wanted);
  }

  /** Make a spot the point that all planes go through, and show the slice it lies on. */
  lookAt(spot) {
    this.goTo(shownOn({ slice: spot[2] }));
    this.set({ point: spot });
  }

  step(slices) {
    this.goTo(this.state.wanted + slices);
  }

  // The view: screen points are CSS pixels from the upper left corner of the stage

  resize(stage) {
    const view = this.fitted ? fitView(this.looks.pixelAspect, stage, this.mapping.size) : this.state.view;
    this.set({ stage, view });
  }

  fit() {
    this.fitted = true;
    this.set({ view: fitView(this.looks.pixelAspect, this.state.stage, this.mapping.size) });
  }

  zoom(factor, screen = this.middle()) {
    this.fitted = false;
    const { view, stage } = this.state;
    this.set({ view: zoomAbout(view, this.looks.pixelAspect, stage, this.mapping.size, screen, factor) });
  }

  /** One PNG pixel on one screen pixel. */
  zoomToActual() {
    this.zoom(1 / this.state.view.scale);
  }

  pan(right, down) {
    this.fitted = false;
    this.set({ view: panBy(this.state.view, this.looks.pixelAspect, this.mapping.size, [right, down]) });
  }

  middle() {
    return [this.state.stage.width / 2, this.state.stage.height / 2];
  }

  toScreen(point) {
    return toScreen(this.state.view, this.looks.pixelAspect, this.state.stage, point);
  }

  toImage(screen) {
    return toImage(this.state.view, this.looks.pixelAspect, this.state.stage, screen);
  }

  /** Move the view so that the image point is on the stage, if it is not. */
  reveal(point) {
    const { view, stage } = this.state;
    const [left, top] = this.toScreen(point);
    const seen = left > 20 && top > 20 && left < stage.width - 20 && top < stage.height - 20;
    if (!seen) this.set({ view: { ...view, x: point[0], y: point[1] } });
  }

  /** Choose the landmark `steps` further: in the list, or of the stacks around landmarks that are shown together. */
  stepLandmark(steps) {
    if (this.zooms) this.zooms.step(steps);
    else this.landmarks.selectNext(steps);
  }

  // The cursor: the place all numbers on the page are about

  pointAt([x, y, slice], surface) {
    this.set({ cursor: [x, y, surface === this.front ? null : slice], over: surface, byKeys: false });
  }

  /** The cursor as a spot; while a slice is on its way, on the one that is seen. */
  cursorSpot() {
    const [x, y, slice] = this.state.cursor;
    return [x, y, slice ?? this.state.shown ?? this.state.wanted];
  }

  /** The spot that the cross shows: the point of three planes, or where the keys or Ctrl click moved it; null while it shows none. */
  crossSpot() {
    if (this.state.three) return this.state.point;
    return this.state.byKeys ? this.cursorSpot() : null;
  }

  /**
   * Move the cross along the axes of a surface, by steps that are two to five screen pixels long and round in PNG pixels; it stays
   * in the stack. It starts where it is seen, else at the pointer.
   */
  nudge(surface, right, down) {
    const { cursor, point, three, wanted } = this.state;
    const spot = three ? [...point] : [cursor[0], cursor[1], wanted];
    [right, down].forEach((steps, i) => {
      const axis = surface.axes[i];
      const moved = spot[axis] + steps * nudgeOf(surface.stepOnScreen(axis, spot));
      spot[axis] = Math.min(Math.max(+moved.toFixed(3), 0), this.mapping.size[axis] - 1);
    });
    this.lookAt(spot);
    this.set({ cursor: surface === this.front && Number.isInteger(spot[2]) ? [spot[0], spot[1], null] : spot, over: surface, byKeys: true });
    this.reveal(spot);
    this.across.reveal(spot);
  }

  /** Whether the voxel of a spot is on the screen. */
  sees(spot) {
    const slice = shownOn({ slice: spot[2] });
    return (this.state.image !== null && slice === this.state.shown) || (this.state.three && this.across.voxels.has(slice));
  }

  /** Whether a spot lies in the stack, its outer voxels whole. */
  contains(spot) {
    return spot.every((value, axis) => value >= -0.5 && value <= this.mapping.size[axis] - 0.5);
  }

  /** Show the planes across the slice, or show them no longer; where there can be none, say why. */
  toggleThree() {
    if (this.across.refusal) this.say(this.across.refusal);
    else this.set({ three: !this.state.three });
    if (this.state.three && this.state.shown !== null) this.across.load(this.state.shown);
  }

  toggleMagnifier() {
    this.set({ magnified: !this.state.magnified });
  }

  setSpace(space) {
    this.set({ space });
    this.storage.remember({ slice: this.state.wanted, space });
  }

  // Contrast, in PNG values

  setWindow({ lower, upper }) {
    this.set({ window: { ...this.state.window, lower, upper } });
  }

  level() {
    return (this.state.window.lower + this.state.window.upper) / 2;
  }

  width() {
    return this.state.window.upper - this.state.window.lower;
  }

  /** From 1/512 of the whole range to twice of it. */
  widths() {
    const whole = this.page.whole.upper - this.page.whole.lower;
    return [whole / 512, whole * 2];
  }

  setLevelAndWidth(level, width) {
    const { lower, upper } = this.page.whole;
    const [narrowest, widest] = this.widths();
    const middle = Math.min(Math.max(level, lower), upper);
    const half = Math.min(Math.max(width, narrowest), widest) / 2;
    this.setWindow({ lower: middle - half, upper: middle + half });
  }

  /** Move the level by a part of the whole range, and widen the window by a factor. */
  changeWindow(level, factor) {
    const whole = this.page.whole.upper - this.page.whole.lower;
    this.setLevelAndWidth(this.level() + level * whole, this.width() * factor);
  }

  resetWindow() {
    this.set({ window: { ...this.page.contrast, inverted: false } });
  }

  automaticWindow() {
    this.setWindow(this.page.measured);
  }

  invert() {
    this.set({ window: { ...this.state.window, inverted: !this.state.window.inverted } });
  }

  // What the cursor is on

  /** {pixel, source, patient} of an image point on a slice; patient is null without geometry. */
  placeOf([x, y], slice) {
    const pixel = [x, y, slice];
    return { pixel, source: this.mapping.toSource(pixel), patient: this.mapping.toPatient && this.mapping.toPatient(pixel) };
  }

  /** Millimetres (or source pixels) per screen pixel along x. */
  perScreenPixel() {
    return this.looks.pixelWidth / zoomOf(this.state.view, this.looks.pixelAspect)[0];
  }
}

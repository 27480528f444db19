// The voxels of the PNG stack, one byte each, held as they load (in squares, see `decoder.js`). Planes are cut from them along any axis.

import { startDecoders } from "./decoder.js";

/** More than that is left to the PNGs themselves: browsers end tabs that want more memory than there is. */
export const MOST_BYTES = 2 ** 30;
const WORKERS = 2;
const TOLD_EVERY = 200; // ms

/** Why voxels of this stack cannot be held, in a sentence; null where they can be. `isServed`: the page may read the pixels of its PNGs. */
export function whyNoVoxels({ images, size, isServed }) {
  const bytes = size[0] * size[1] * size[2];
  if (size[2] < 2) return "One image has no planes across it.";
  if (images.channels !== 1) return "Planes across the images are shown for grey stacks only, and this stack has colours.";
  if (bytes > MOST_BYTES) {
    return `This stack has ${(bytes / 1e9).toFixed(1)} GB of voxels, but a page holds 1 GB at most, so it is shown in one plane. A smaller export of the scan (--scale) is shown in three.`;
  }
  if (!isServed) return "A page that is opened from disk may not read the pixels of its images. For three planes run: sidecar label FOLDER, with the folder of this page.";
  return null;
}

/**
 * `size` of the stack and absolute `urls` of its PNGs. `changed()` is called as slices arrive, a few times a second. `failure` names the
 * first slice that could not be read: the others are held all the same.
 */
export class Voxels {
  constructor({ urls, names, size, changed }) {
    Object.assign(this, { urls, names, size, changed });
    this.workers = [];
    this.forget();
  }

  /** Let go of all slices, and of those that are still loading. */
  forget() {
    this.workers.forEach((worker) => worker.terminate()); // nothing is heard of it any more
    clearTimeout(this.telling);
    this.workers = [];
    this.slices = Array(this.size[2]).fill(null);
    this.answered = 0;
    this.failure = null;
    this.telling = null;
  }

  /** Load all slices, those near to `first` before the others. */
  load(first) {
    const far = (slice) => Math.abs(slice - first);
    this.waiting = [...this.slices.keys()].sort((a, b) => far(b) - far(a));
    this.workers = startDecoders(Math.min(WORKERS, this.waiting.length));
    this.workers.forEach((worker) => this.employ(worker));
  }

  employ(worker) {
    const next = () => {
      const slice = this.waiting.pop();
      if (slice === undefined) return worker.terminate();
      return worker.postMessage({ slice, url: this.urls[slice], width: this.size[0], height: this.size[1] });
    };
    worker.onmessage = ({ data }) => {
      this.take(data);
      next();
    };
    worker.onerror = () => {
      this.failure ??= "This browser does not start the decoder of the images.";
      this.tell();
    };
    next();
  }

  take({ slice, bytes, failure }) {
    this.answered += 1;
    if (bytes) this.slices[slice] = bytes;
    else this.failure ??= `${this.names[slice]} cannot be read: ${failure}`;
    this.tell();
  }

  tell() {
    const now = () => {
      this.telling = null;
      this.changed();
    };
    this.telling ??= setTimeout(now, TOLD_EVERY);
  }

  has(slice) {
    return this.slices[slice] != null;
  }

  /**
   * The plane at `index` of axis 0 (x) or 1 (y) as pixels of a canvas, `table` giving the colour of each byte: rows are slices, and the
   * pixels of a row run along the other axis. Slices that are not there yet are transparent.
   */
  cut(axis, index, table, pixels) {
    const length = this.size[1 - axis];
    const rowOfSquares = 64 * Math.ceil(this.size[0] / 8);
    const [square, within] = [index >> 3, index & 7];
    const [start, perSquare, perPixel] = axis === 0 ? [64 * square + within, rowOfSquares, 8] : [rowOfSquares * square + 8 * within, 64, 1];
    let to = 0;
    for (const bytes of this.slices) {
      const end = to + length;
      if (bytes === null) pixels.fill(0, to, end);
      for (let first = start; bytes !== null && to < end; first += perSquare) {
        const stop = Math.min(to + 8, end);
        for (let from = first; to < stop; to += 1, from += perPixel) pixels[to] = table[bytes[from]];
      }
      to = end;
    }
  }
}

// The PNGs of the stack, loaded as they are needed: one being waited for, its neighbours after it, a bounded number kept.

const KEPT_BYTES = 256 * 2 ** 20;
const AT_ONCE = 4;
const AHEAD = 6;
const BEHIND = 2;

/**
 * A loader of images. `show(slice)` asks for one; `shown(slice, image)` and `failed(slice, message)` report. While slices fly by,
 * each image that arrives is shown before the newest is asked for, so that the picture always moves.
 */
export class Images {
  constructor({ urls, names, width, height, shown, failed }) {
    Object.assign(this, { urls, names, width, height, shown, failed });
    this.most = Math.min(Math.max(Math.floor(KEPT_BYTES / (width * height * 4)), AHEAD + BEHIND + 2), 96);
    this.kept = new Map(); // slice → image, the longest unused first
    this.loading = new Map(); // slice → promise
    this.wanted = null;
    this.direction = 1;
  }

  show(slice) {
    if (this.wanted !== null && slice !== this.wanted) this.direction = slice > this.wanted ? 1 : -1;
    this.wanted = slice;
    if (this.kept.has(slice)) {
      this.shown(slice, this.use(slice));
      this.prefetch();
    } else if (!this.waiting) {
      this.wait(slice);
    }
  }

  async wait(slice) {
    this.waiting = true;
    try {
      await this.load(slice);
      this.shown(slice, this.use(slice));
    } catch (error) {
      this.failed(slice, error.message);
    }
    this.waiting = false;
    if (this.wanted !== slice) this.show(this.wanted);
    else this.prefetch();
  }

  /** Let go of all images. */
  forget() {
    this.kept.clear();
  }

  use(slice) {
    const image = this.kept.get(slice);
    this.kept.delete(slice);
    this.kept.set(slice, image);
    return image;
  }

  load(slice) {
    if (this.kept.has(slice)) return Promise.resolve();
    if (!this.loading.has(slice)) {
      const done = () => this.loading.delete(slice);
      this.loading.set(slice, this.fetch(slice).finally(done));
    }
    return this.loading.get(slice);
  }

  async fetch(slice) {
    const image = new Image();
    image.src = this.urls[slice];
    try {
      await image.decode();
    } catch {
      throw new Error(`${this.names[slice]} cannot be shown: is it still beside this page?`);
    }
    if (image.naturalWidth !== this.width || image.naturalHeight !== this.height) {
      const size = `${image.naturalWidth} × ${image.naturalHeight}`;
      throw new Error(`${this.names[slice]} is ${size} pixels, not ${this.width} × ${this.height}: it is not the image this page was made for`);
    }
    this.kept.set(slice, image);
    for (const oldest of this.kept.keys()) {
      if (this.kept.size <= this.most) break;
      if (oldest !== this.wanted) this.kept.delete(oldest);
    }
  }

  /** Load what comes next in the direction of travel and a little of what was passed; an image that is waited for goes first. */
  prefetch() {
    const ahead = [...Array(AHEAD).keys()].map((i) => (i + 1) * this.direction);
    const behind = [...Array(BEHIND).keys()].map((i) => -(i + 1) * this.direction);
    for (const slice of [...ahead, ...behind].map((step) => this.wanted + step)) {
      if (this.waiting || this.loading.size >= AT_ONCE) return;
      if (slice < 0 || slice >= this.urls.length || this.kept.has(slice) || this.loading.has(slice)) continue;
      this.load(slice).then(
        () => this.prefetch(),
        () => {}, // it is told when the slice itself is asked for
      );
    }
  }
}

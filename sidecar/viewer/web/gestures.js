// Mouse, pen and fingers on the stage.
//
//   click, tap             place the next landmark, or choose the one that is there
//   drag                   move the landmark that is there, else the image
//   right or Shift drag    window (sideways) and level (up and down)
//   wheel                  slices; with Ctrl, and pinching, zoom

import { isPlaced, shownOn } from "./work.js";

const STILL = 4; // screen pixels a click may wander
const REACH = { mouse: 11, pen: 14, touch: 24 };
const NOTCH = 50; // a wheel event at least this long is one notch of a mouse wheel; shorter ones are a touch pad's and add up

export class Gestures {
  constructor(viewer, element) {
    this.viewer = viewer;
    this.element = element;
    this.pointers = new Map(); // id → where it is now
    this.action = null;
    this.rolled = 0;
    const listen = (type, handler) => element.addEventListener(type, handler.bind(this), { passive: false });
    listen("pointerdown", this.down);
    listen("pointermove", this.move);
    listen("pointerup", this.up);
    listen("pointercancel", this.cancel);
    listen("wheel", this.wheel);
    listen("contextmenu", (event) => event.preventDefault());
  }

  screenOf(event) {
    const box = this.element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  down(event) {
    if (event.target.closest("button")) return;
    this.element.setPointerCapture(event.pointerId);
    const screen = this.screenOf(event);
    this.pointers.set(event.pointerId, screen);
    this.viewer.pointAt(screen);
    if (this.pointers.size > 1) {
      this.viewer.landmarks.cancelDrag();
      this.action = { kind: "pinch" };
    } else {
      const kind = event.button === 2 || event.shiftKey ? "window" : "press";
      const hit = kind === "press" && event.button === 0 ? this.hit(screen, event.pointerType) : null;
      this.action = { kind, hit, start: screen, button: event.button, slice: this.viewer.state.shown };
    }
  }

  /** The landmark at a screen point, the nearest first. */
  hit(screen, pointerType) {
    const { items, shown, image } = this.viewer.state;
    if (!image || this.viewer.drawing.item) return null;
    const near = items
      .filter((item) => isPlaced(item) && shownOn(item) === shown)
      .map((item) => ({ item, at: this.viewer.toScreen([item.x, item.y]) }))
      .map(({ item, at }) => ({ item, at, away: Math.hypot(at[0] - screen[0], at[1] - screen[1]) }))
      .sort((a, b) => a.away - b.away)[0];
    return near && near.away <= (REACH[pointerType] ?? REACH.mouse) ? near : null;
  }

  move(event) {
    const screen = this.screenOf(event);
    const before = this.pointers.get(event.pointerId);
    if (!before) {
      this.viewer.pointAt(screen);
      return;
    }
    if (this.action?.kind === "pinch") this.pinch(event.pointerId, screen);
    this.pointers.set(event.pointerId, screen);
    if (!this.action || this.action.kind === "pinch") return;
    const { hit, start } = this.action;
    if (this.action.kind === "press" && Math.hypot(screen[0] - start[0], screen[1] - start[1]) > STILL) {
      this.action.kind = hit ? "carry" : "pan";
    }
    const [right, down] = [screen[0] - before[0], screen[1] - before[1]];
    if (this.action.kind === "pan") this.viewer.pan(right, down);
    if (this.action.kind === "window") this.viewer.changeWindow(-down / 512, Math.exp(right / 256));
    if (this.action.kind === "carry" && this.action.carrying && !this.viewer.state.drag) {
      this.action = null; // it was let go with Escape
    } else if (this.action.kind === "carry") {
      // The landmark keeps its distance to the pointer, so that taking hold of it does not move it.
      const at = [hit.at[0] + screen[0] - start[0], hit.at[1] + screen[1] - start[1]];
      this.viewer.landmarks.drag(hit.item.id, this.viewer.toImage(at));
      this.action.carrying = true;
    }
    this.viewer.pointAt(screen);
  }

  /** Two fingers: what was between them stays between them. */
  pinch(id, screen) {
    const other = [...this.pointers.entries()].find(([pointer]) => pointer !== id)?.[1];
    const before = this.pointers.get(id);
    if (!other) return;
    const length = (a) => Math.max(Math.hypot(a[0] - other[0], a[1] - other[1]), 10);
    const middle = (a) => [(a[0] + other[0]) / 2, (a[1] + other[1]) / 2];
    const [from, to] = [middle(before), middle(screen)];
    this.viewer.zoom(length(screen) / length(before), from);
    this.viewer.pan(to[0] - from[0], to[1] - from[1]);
  }

  up(event) {
    const screen = this.screenOf(event);
    const { action } = this;
    this.pointers.delete(event.pointerId);
    if (this.pointers.size > 0) return;
    this.action = null;
    if (action?.kind === "carry") this.viewer.landmarks.drop();
    if (action?.kind !== "press" || action.button !== 0) return;
    if (action.hit) this.viewer.landmarks.select(action.hit.item.id, false);
    else this.viewer.landmarks.placeAt(this.viewer.toImage(screen), action.slice);
  }

  cancel(event) {
    this.pointers.delete(event.pointerId);
    this.action = null;
    this.viewer.landmarks.cancelDrag();
  }

  wheel(event) {
    event.preventDefault();
    const pixels = [1, 33, 400][event.deltaMode];
    const turned = (Math.abs(event.deltaY) >= Math.abs(event.deltaX) ? event.deltaY : event.deltaX) * pixels;
    if (event.ctrlKey || event.metaKey) {
      this.viewer.zoom(Math.exp(-Math.max(Math.min(turned, 25), -25) / 100), this.screenOf(event));
      this.viewer.pointAt(this.screenOf(event));
    } else if (this.action === null) {
      this.viewer.step(this.slicesOf(turned) * (event.shiftKey ? 10 : 1));
    }
  }

  slicesOf(turned) {
    if (Math.abs(turned) >= NOTCH) return Math.sign(turned);
    this.rolled += turned;
    const slices = Math.trunc(this.rolled / NOTCH);
    this.rolled -= slices * NOTCH;
    return slices;
  }
}

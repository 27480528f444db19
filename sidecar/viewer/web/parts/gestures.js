// Mouse, pen and fingers on a surface: the slice, or a plane across it.
//
//   click, tap             place the next landmark, or choose the one that is there
//   Ctrl click             move the cross there; so does the pointer with Shift, as it goes
//   drag                   move the landmark or the vertex of a curve that is there, else the image
//   right or Shift drag    window (sideways) and level (up and down)
//   wheel                  slices, or the planes of its kind; with Ctrl, and pinching, zoom

import { spotOf } from "../labels/work.js";

const STILL = 4; // screen pixels a click may wander
const REACH = { mouse: 11, pen: 14, touch: 24 };
const NOTCH = 50; // a wheel event at least this long is one notch of a mouse wheel; shorter ones are a touch pad's and add up

export class Gestures {
  constructor(surface, element) {
    this.surface = surface;
    this.viewer = surface.viewer;
    this.element = element;
    this.pointers = new Map(); // id → where it is now
    this.action = null;
    this.rolled = 0;
    const listen = (type, handler) => element.addEventListener(type, handler.bind(this), { passive: false });
    listen("pointerdown", this.down);
    listen("pointermove", this.move);
    listen("pointerup", this.up);
    listen("pointercancel", this.cancel);
    listen("pointerleave", () => this.viewer.set({ over: null }));
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
    this.surface.pointAt(screen);
    if (this.pointers.size > 1) {
      this.viewer.landmarks.cancelDrag();
      this.action = { kind: "pinch" };
    } else {
      const kind = event.button === 2 || event.shiftKey ? "window" : "press";
      const hit = kind === "press" && event.button === 0 ? this.hit(screen, event.pointerType) : null;
      this.action = { kind, hit, start: screen, button: event.button, seen: this.surface.seen() };
    }
  }

  /** What can be dragged at a screen point, {handle, at}: the nearest. */
  hit(screen, pointerType) {
    if (this.viewer.drawing.item) return null;
    const near = this.surface
      .handles()
      .map((handle) => ({ handle, at: this.surface.toScreen(spotOf(handle)) }))
      .map(({ handle, at }) => ({ handle, at, away: Math.hypot(at[0] - screen[0], at[1] - screen[1]) }))
      .sort((a, b) => a.away - b.away)[0];
    return near && near.away <= (REACH[pointerType] ?? REACH.mouse) ? near : null;
  }

  move(event) {
    const screen = this.screenOf(event);
    const before = this.pointers.get(event.pointerId);
    if (!before) {
      this.surface.pointAt(screen);
      if (event.shiftKey) this.look(screen);
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
    if (this.action.kind === "pan") this.surface.pan(right, down);
    if (this.action.kind === "window") this.viewer.changeWindow(-down / 512, Math.exp(right / 256));
    if (this.action.kind === "carry" && this.action.carrying && !this.viewer.state.drag) {
      this.action = null; // it was let go with Escape
    } else if (this.action.kind === "carry") {
      // What is carried keeps its distance to the pointer, so that taking hold of it does not move it.
      const at = [hit.at[0] + screen[0] - start[0], hit.at[1] + screen[1] - start[1]];
      this.viewer.landmarks.drag(hit.handle, this.surface.carried(hit.handle, this.surface.toSpot(at)));
      this.action.carrying = true;
    }
    this.surface.pointAt(screen);
  }

  look(screen) {
    const spot = this.surface.toSpot(screen);
    if (!this.viewer.contains(spot)) return;
    this.surface.look(spot);
    this.viewer.pointAt(spot, this.surface); // in a plane across, the slice shown is another now
    this.viewer.set({ byKeys: true });
  }

  /** Two fingers: what was between them stays between them. */
  pinch(id, screen) {
    const other = [...this.pointers.entries()].find(([pointer]) => pointer !== id)?.[1];
    const before = this.pointers.get(id);
    if (!other) return;
    const length = (a) => Math.max(Math.hypot(a[0] - other[0], a[1] - other[1]), 10);
    const middle = (a) => [(a[0] + other[0]) / 2, (a[1] + other[1]) / 2];
    const [from, to] = [middle(before), middle(screen)];
    this.surface.zoom(length(screen) / length(before), from);
    this.surface.pan(to[0] - from[0], to[1] - from[1]);
  }

  up(event) {
    const screen = this.screenOf(event);
    const { action } = this;
    this.pointers.delete(event.pointerId);
    if (this.pointers.size > 0) return;
    this.action = null;
    if (action?.kind === "carry") this.drop(action);
    if (action?.kind !== "press" || action.button !== 0) return;
    if (event.ctrlKey || event.metaKey) this.look(screen);
    else if (action.hit?.handle.vertex === null) this.viewer.landmarks.select(action.hit.handle.id, false);
    else this.surface.place(screen, action.seen);
  }

  drop({ seen }) {
    const { drag } = this.viewer.state;
    if (drag && this.surface.sees(seen, spotOf(drag))) {
      this.viewer.landmarks.drop();
      this.surface.look(spotOf(drag));
    } else {
      this.viewer.landmarks.cancelDrag();
    }
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
      this.surface.zoom(Math.exp(-Math.max(Math.min(turned, 25), -25) / 100), this.screenOf(event));
      this.surface.pointAt(this.screenOf(event));
    } else if (this.action === null) {
      this.surface.step(this.slicesOf(turned) * (event.shiftKey ? 10 : 1));
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

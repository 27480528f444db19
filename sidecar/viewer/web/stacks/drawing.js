// Drawing curves: vertex by vertex, on whatever slices; every vertex can be undone.

import { fewestOf, isCurve, isDrawn, newCurve, possibleCount } from "../labels/curves.js";
import { addItem, change } from "../labels/work.js";

export class Drawing {
  constructor(viewer) {
    this.viewer = viewer;
  }

  /** The curve that is being drawn, or null. */
  get item() {
    const { items, drawing } = this.viewer.state;
    return items.find((item) => item.id === drawing && isCurve(item)) ?? null;
  }

  /** Begin a new curve, or go on with one. */
  begin(id = null) {
    if (id !== null) {
      this.viewer.set({ drawing: id, selected: id });
      return;
    }
    const [items, added] = addItem(this.viewer.state.items, "curve ", { curve: newCurve() });
    this.viewer.landmarks.commit(items, { drawing: added, selected: added, spoken: "Click the vertices of the curve; F finishes it" });
  }

  /** Add a vertex to the curve that is being drawn. */
  add(place) {
    const { id, label, curve } = this.item;
    this.put(id, { vertices: [...curve.vertices, place] });
    this.viewer.set({ spoken: `vertex ${curve.vertices.length + 1} of ${label} on slice ${place.slice}` });
  }

  finish() {
    const { item } = this;
    if (!item) return;
    this.viewer.set({ drawing: null });
    const fewest = fewestOf(item.curve.closed);
    if (!isDrawn(item)) this.viewer.say(`${item.label} is not saved yet: ${item.curve.closed ? "a closed" : "an open"} curve needs at least ${fewest} vertices.`);
  }

  setClosed(id, closed) {
    const { count } = this.curveOf(id);
    this.put(id, { closed, count: count && possibleCount(count, closed) });
  }

  /** Ask for so many points; NaN: none, the curve stays as drawn. */
  setCount(id, count) {
    this.put(id, { count: Number.isNaN(count) ? null : possibleCount(count, this.curveOf(id).closed) });
  }

  curveOf(id) {
    return this.viewer.landmarks.item(id).curve;
  }

  put(id, values) {
    const { landmarks } = this.viewer;
    landmarks.commit(change(landmarks.items, id, { curve: { ...this.curveOf(id), ...values } }));
  }
}

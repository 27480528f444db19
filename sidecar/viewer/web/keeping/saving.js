// The work of a served page goes to labels.csv in its folder, a moment after each change: that on one stack, or on all around landmarks.
//
// A save says which revision it began from. Where labels.csv is another by then, saved by another tab or program, both are brought
// together in the list, which the user is told, and saved. What cannot be saved stays in this browser and is sent when it can.

import { isCurve } from "../labels/curves.js";
import { rowsOf, writeCsv } from "../labels/files.js";
import { Presence } from "./presence.js";
import { isPlaced, merged, samePoints } from "../labels/work.js";

const AFTER = 300; // ms without a change
const NO_REVISION = ""; // a revision that no file has
const STOPPED =
  "The server of this page does not answer, so labels.csv is not saved. This browser keeps what you place. " +
  "Run sidecar label again for this folder to save it.";
const ANEW =
  "sidecar label was started again, and this page belongs to the earlier run, so labels.csv is not saved from here. " +
  "Open the address that the terminal shows. This browser kept what you placed, and saves it there.";

export class Saving {
  /**
   * Saves the work of `shown`, an `Alone` or `Zooms`, and begins with what labels.csv and this browser have together; an Error where
   * labels.csv cannot be read.
   */
  constructor(shown) {
    this.shown = shown;
    this.server = shown.viewer.server;
    this.known = new Map(); // what labels.csv holds on each stack, as far as is known
    this.revision = NO_REVISION;
    this.busy = null; // the save that is under way
    this.timer = null;
    this.told = null; // the last fault that the user was told
    const { text, revision } = this.server.labels;
    const parts = shown.partsOf(text);
    for (const viewer of shown.viewers) {
      this.begin(viewer, parts.get(viewer) ?? []);
      viewer.saving = this;
    }
    this.revision = revision;
    shown.viewers[0].storage.stay(globalThis.location.pathname);
    globalThis.addEventListener("pagehide", () => this.isDue() && this.send(true));
  }

  /** Bring together what labels.csv and this browser have on a stack. */
  begin(viewer, points) {
    const { items, message } = viewer.state;
    const [together, came, went] = merged(items, viewer.storage.load().base, points);
    const isNews = came + went > 0 && items.some((item) => isPlaced(item) || isCurve(item));
    const said = isNews ? { text: changedText([{ came, went, items: together }]), bad: true } : null;
    viewer.set({ items: together, message: message ?? said });
    this.know(viewer, points);
  }

  /** Begin: hear of the server, and save what this browser has and labels.csv has not. */
  start() {
    this.presence = new Presence(this.server, (reply) => this.heard(reply));
    this.changed();
  }

  pointsOf(viewer) {
    return this.known.get(viewer);
  }

  /** labels.csv holds these points on a stack, while its list is `items`. */
  know(viewer, points, items = viewer.landmarks.items) {
    const known = points.map(({ label, x, y, slice, curve }) => ({ label, x, y, slice, curve }));
    this.known.set(viewer, known);
    viewer.storage.save(items, known);
  }

  /** Another tab's list was taken over, and with it what that tab knows of labels.csv, but for the revision. */
  adopted(viewer, points) {
    this.known.set(viewer, points);
    this.revision = NO_REVISION;
    this.show();
  }

  /** Whether a list is another than that of labels.csv. */
  isDue() {
    return this.shown.viewers.some((viewer) => !samePoints(viewer.landmarks.finished(), this.known.get(viewer)));
  }

  /** A list has changed. */
  changed() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), AFTER);
    this.show();
  }

  /** Save now, if there is anything to save: whether labels.csv holds all then. */
  async save() {
    clearTimeout(this.timer);
    while (this.busy) await this.busy;
    while (this.isDue()) {
      this.busy = this.send();
      const goesOn = await this.busy;
      this.busy = null;
      if (!goesOn) break;
    }
    this.show();
    return !this.isDue();
  }

  /** One request: whether it is worth while to look again. */
  async send(isLast = false) {
    const finished = this.shown.viewers.map((viewer) => [viewer, viewer.landmarks.finished()]);
    const rows = finished.flatMap(([{ names, own }, points]) => rowsOf(points, names, own));
    const text = rows.length === 0 ? "" : writeCsv(rows);
    const { revision } = this;
    const { status, answer } = await this.server.ask("labels", { text, revision }, isLast);
    if (status !== 200) {
      this.failed(status, answer);
      return false;
    }
    if (!answer.saved) return this.takeOver(answer);
    if (this.revision !== revision) return true; // another tab's list was taken over meanwhile: ask what there is
    this.revision = answer.revision;
    finished.forEach(([viewer, points]) => this.know(viewer, points));
    this.toldAgain();
    return true;
  }

  /** Somebody else saved: bring both together. */
  takeOver({ text, revision }) {
    let parts;
    try {
      parts = this.shown.partsOf(text);
    } catch (error) {
      this.fault(`labels.csv was changed by another program and cannot be read: ${error.message}. It is not overwritten.`);
      return false;
    }
    this.revision = revision;
    const changes = [];
    for (const viewer of this.shown.viewers) {
      const points = parts.get(viewer) ?? [];
      const [items, came, went] = merged(viewer.landmarks.items, this.known.get(viewer), points);
      this.know(viewer, points, items);
      if (came + went === 0) continue;
      viewer.landmarks.commit(items);
      changes.push({ came, went, items });
    }
    if (changes.length > 0) this.say(changedText(changes));
    return true;
  }

  /** The answer to a sign of life. */
  async heard({ status, answer }) {
    if (status !== 200) {
      this.failed(status, answer);
    } else if (answer.revision !== this.revision && !this.busy) {
      const { revision } = this;
      const reply = await this.server.ask("labels", {});
      const isNews = reply.status === 200 && this.revision === revision && !this.busy;
      if (isNews && this.takeOver(reply.answer)) await this.save();
    } else if (this.isDue()) {
      await this.save();
    } else {
      this.toldAgain();
    }
    this.show();
  }

  failed(status, answer) {
    if (status === 404) this.moveOn();
    this.fault({ 0: STOPPED, 404: ANEW }[status] ?? `labels.csv is not saved: ${answer?.error ?? `the server answered ${status}`}`);
  }

  /** Another run of the server has another address, which another tab of this browser may know. */
  async moveOn() {
    const place = this.shown.viewers[0].storage.place();
    if (!place || place === globalThis.location.pathname) return;
    const there = await fetch(place).catch(() => null);
    if (there?.ok) globalThis.location.replace(place);
  }

  /** Tell bad news, where it is seen. */
  say(text) {
    this.shown.viewer.say(text, true);
  }

  /** Tell a fault once, and again only after it was over. */
  fault(text) {
    if (this.told !== text) this.say(text);
    this.told = text;
    this.show();
  }

  toldAgain() {
    const { viewer } = this.shown;
    if (this.told !== null && viewer.state.message?.text === this.told) viewer.set({ message: null });
    this.told = null;
  }

  /** Go to another page of this server, when all is saved. */
  async leave(address) {
    if (address && (await this.save())) globalThis.location.assign(address);
  }

  show() {
    const saving = this.isDue() ? (this.told === null ? "saving …" : "not saved") : "saved";
    for (const viewer of this.shown.viewers) {
      if (saving !== viewer.state.saving) viewer.set({ saving });
    }
  }
}

/** What another tab or program changed, {came, went, items} of each stack that it changed. */
function changedText(changes) {
  const sum = (what) => changes.reduce((all, change) => all + change[what], 0);
  const twice = changes.flatMap(({ items }) => {
    const names = items.filter(isPlaced).map((item) => item.label);
    return [...new Set(names.filter((name, i) => names.indexOf(name) !== i))];
  });
  const both = twice.length > 0 ? ` These names are in the list twice: ${twice.join(", ")}. Keep the right one of each.` : "";
  return `Another tab or program changed labels.csv. Added to the list: ${sum("came")}. Removed from it: ${sum("went")}.${both} Undo (Ctrl+Z) restores the earlier list.`;
}

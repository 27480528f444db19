// The work of a served page goes to labels.csv beside the PNGs, a moment after each change.
//
// A save says which revision it began from. Where labels.csv is another by then, saved by another tab or program, both are brought
// together in the list, which the user is told, and saved. What cannot be saved stays in this browser and is sent when it can.

import { readTable, rowsOf, writeCsv } from "./files.js";
import { Presence } from "./presence.js";
import { isPlaced, merged, samePoints } from "./work.js";

const AFTER = 300; // ms without a change
const NO_REVISION = ""; // a revision that no file has
const STOPPED =
  "The server of this page does not answer, so labels.csv is not saved. What you place is kept in this browser: " +
  "run sidecar label again for this folder, and it is saved.";
const ANEW =
  "sidecar label was started anew, and this page is of the run before: labels.csv is not saved from here. " +
  "Open the address that its terminal shows: what you placed is kept in this browser, and is saved there.";

export class Saving {
  constructor(viewer, server) {
    this.viewer = viewer;
    this.server = server;
    this.points = []; // what labels.csv holds, as far as is known
    this.revision = NO_REVISION;
    this.busy = null; // the save that is under way
    this.timer = null;
    this.told = null; // the last fault that the user was told
    viewer.storage.stay(globalThis.location.pathname);
    globalThis.addEventListener("pagehide", () => this.isDue() && this.send(true));
  }

  /** Begin: hear of the server, and save what this browser has and labels.csv has not. */
  start() {
    this.presence = new Presence(this.server, (reply) => this.heard(reply));
    this.changed();
  }

  /** What labels.csv and this browser have together: [items, what to tell]. */
  begun(items, base) {
    const { text, revision } = this.server.labels;
    const [together, came, went] = merged(items, base, this.pointsOf(text));
    this.know(this.pointsOf(text), revision, together);
    return [together, came + went > 0 && items.some(isPlaced) ? changedText(came, went, together) : null];
  }

  pointsOf(text) {
    return text === "" ? [] : readTable(text, "labels.csv", this.viewer).points;
  }

  /** labels.csv holds these points and has this revision, while the list is `items`. */
  know(points, revision, items = this.viewer.landmarks.items) {
    this.points = points.map(({ label, x, y, slice, curve }) => ({ label, x, y, slice, curve }));
    this.revision = revision;
    this.viewer.storage.save(items, this.points);
  }

  /** Another tab's list was taken over, and with it what that tab knows of labels.csv, but for the revision. */
  adopted(points) {
    this.points = points;
    this.revision = NO_REVISION;
    this.show();
  }

  /** Whether the list is another than that of labels.csv. */
  isDue() {
    return !samePoints(this.viewer.landmarks.finished(), this.points);
  }

  /** The list has changed. */
  changed() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), AFTER);
    this.show();
  }

  /** Save now, if there is anything to save: whether labels.csv holds the list then. */
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
    const points = this.viewer.landmarks.finished();
    const text = points.length === 0 ? "" : writeCsv(rowsOf(points, this.viewer.names, this.viewer.own));
    const { revision } = this;
    const { status, answer } = await this.server.ask("labels", { text, revision }, isLast);
    if (status !== 200) {
      this.failed(status, answer);
      return false;
    }
    if (!answer.saved) return this.takeOver(answer);
    if (this.revision !== revision) return true; // another tab's list was taken over meanwhile: ask what there is
    this.know(points, answer.revision);
    this.toldAgain();
    return true;
  }

  /** Somebody else saved: bring both together. */
  takeOver({ text, revision }) {
    let points;
    try {
      points = this.pointsOf(text);
    } catch (error) {
      this.fault(`labels.csv was changed by another program and cannot be read: ${error.message}. It is not overwritten.`);
      return false;
    }
    const { landmarks } = this.viewer;
    const [items, came, went] = merged(landmarks.items, this.points, points);
    this.know(points, revision, items);
    if (came + went > 0) {
      landmarks.commit(items);
      this.viewer.say(changedText(came, went, items), true);
    }
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
    const place = this.viewer.storage.place();
    if (!place || place === globalThis.location.pathname) return;
    const there = await fetch(place).catch(() => null);
    if (there?.ok) globalThis.location.replace(place);
  }

  /** Tell a fault once, and again only after it was over. */
  fault(text) {
    if (this.told !== text) this.viewer.say(text, true);
    this.told = text;
    this.show();
  }

  toldAgain() {
    if (this.told !== null && this.viewer.state.message?.text === this.told) this.viewer.set({ message: null });
    this.told = null;
  }

  /** Go to another page of this server, when all is saved. */
  async leave(address) {
    if (address && (await this.save())) globalThis.location.assign(address);
  }

  show() {
    const saving = this.isDue() ? (this.told === null ? "saving …" : "not saved") : "saved";
    if (saving !== this.viewer.state.saving) this.viewer.set({ saving });
  }
}

function changedText(came, went, items) {
  const names = items.filter(isPlaced).map((item) => item.label);
  const twice = [...new Set(names.filter((name, i) => names.indexOf(name) !== i))];
  const both = twice.length > 0 ? ` In the list twice: ${twice.join(", ")}. Keep the right one.` : "";
  return `Another tab or program changed labels.csv meanwhile: ${came} came into the list, ${went} went from it.${both} Undo (Ctrl+Z) goes back.`;
}

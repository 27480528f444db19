// A tab tells its server that it is there, every few seconds and when it comes back to sight, and when it goes.

const EVERY = 10000; // ms

/** Call `heard({status, answer})` with what the server says each time. */
export class Presence {
  constructor(server, heard) {
    this.server = server;
    this.heard = heard;
    this.tab = [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    setInterval(() => this.tell(), EVERY);
    globalThis.addEventListener("pageshow", () => this.tell());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.tell());
    globalThis.addEventListener("pagehide", () => server.ask("gone", { tab: this.tab }, true));
  }

  async tell() {
    this.heard(await this.server.ask("alive", { tab: this.tab }));
  }
}

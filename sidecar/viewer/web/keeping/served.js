// The server that gave this page (`sidecar label`). A page that was opened from disk has none.

/** The `Server` of a page, or null. With one, fetch() reads PNGs by their addresses, which lie beside the page and hold the token. */
export const serverOf = (page) => (page.served ? new Server(page.served) : null);

export class Server {
  /**
   * `folders` are the names of the folder of the export and, before it, of the one around it; `names` the landmarks to be placed;
   * `labels` what labels.csv holds, {revision, text}; `around` the addresses of the list of specimens and of those before and after
   * this one, null where there is no such one.
   */
  constructor({ folders, names, labels, around }) {
    Object.assign(this, { folders, names, labels, around });
  }

  /**
   * Ask for something: {status, answer}. Status 0 is a server that cannot be reached, and `answer` is null where it is not JSON.
   * `isLast`: the page is going away, and nobody waits for the answer.
   */
  async ask(what, body, isLast = false) {
    const headers = { "Content-Type": "application/json" };
    try {
      const response = await fetch(`api/${what}`, { method: "POST", headers, body: JSON.stringify(body), keepalive: isLast });
      return { status: response.status, answer: await response.json().catch(() => null) };
    } catch {
      return { status: 0, answer: null };
    }
  }
}

// The work in this browser's storage, one entry per series and export. What cannot be read is put aside, never overwritten.

import { checkedItems } from "./work.js";

const VERSION = 1;

/** {load, save, watch} of one export. `key` names the series and the digest of the export. */
export function storageOf(key) {
  const name = `dicom-sidecar viewer ${key}`;
  return {
    /** {items, problem}: items is null where nothing is kept, problem says what could not be read. */
    load() {
      const text = read(name);
      if (text === null) return { items: null, problem: null };
      const items = parse(text);
      if (items) return { items, problem: null };
      write(`${name} damaged`, text);
      return { items: null, problem: "The landmarks kept in this browser cannot be read; they were put aside, and the list starts empty." };
    },
    /** Whether the browser kept it, read back to be sure. */
    save(items) {
      const text = JSON.stringify({ version: VERSION, items });
      return write(name, text) && read(name) === text;
    },
    /** Whether this browser keeps anything for this page. */
    works() {
      const probe = `${name} probe`;
      const works = write(probe, "1") && read(probe) === "1";
      forget(probe);
      return works;
    },
    /** What is convenient to find again, and no loss: {slice, space}. */
    remember(place) {
      write(`${name} place`, JSON.stringify(place));
    },
    recall() {
      const place = jsonOrNull(read(`${name} place`));
      return {
        slice: Number.isInteger(place?.slice) && place.slice >= 0 ? place.slice : null,
        space: place?.space === "RAS" ? "RAS" : "LPS",
      };
    },
    /** Call `changed(items)` when another tab saved this export's work. */
    watch(changed) {
      globalThis.addEventListener("storage", (event) => {
        const items = event.key === name && event.newValue !== null ? parse(event.newValue) : null;
        if (items) changed(items);
      });
    },
  };
}

function parse(text) {
  const kept = jsonOrNull(text);
  return kept?.version === VERSION ? checkedItems(kept.items) : null;
}

function jsonOrNull(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

// Storage may be switched off altogether, for pages from disk too: touching it then throws.
function read(name) {
  try {
    return globalThis.localStorage.getItem(name);
  } catch {
    return null;
  }
}

function write(name, text) {
  try {
    globalThis.localStorage.setItem(name, text);
    return true;
  } catch {
    return false;
  }
}

function forget(name) {
  try {
    globalThis.localStorage.removeItem(name);
  } catch {
    // It was not kept.
  }
}

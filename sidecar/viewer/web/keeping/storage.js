// The work in this browser's storage, one entry per series and export. What cannot be read is put aside, never overwritten.
//
// A served page also keeps what labels.csv held when it last knew, the points {label, x, y, slice} of `base`. They stand in the same entry:
// of items that are older than their base, what is missing would be taken for what the user took away.

import { checkedItems } from "../labels/work.js";

const VERSION = 1;

/** {load, save, watch} of one export. `key` names the series and the digest of the export. */
export function storageOf(key) {
  const name = `dicom-sidecar viewer ${key}`;
  return {
    /** {items, base, problem}: items is null where nothing is kept, problem says what could not be read. */
    load() {
      const text = read(name);
      if (text === null) return { items: null, base: [], problem: null };
      const kept = parse(text);
      if (kept) return { ...kept, problem: null };
      write(`${name} damaged`, text);
      return { items: null, base: [], problem: "The landmarks kept in this browser cannot be read; they were put aside, and the list starts empty." };
    },
    /** Whether the browser kept it, read back to be sure. */
    save(items, base) {
      const text = JSON.stringify({ version: VERSION, items, base });
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
    /** The path at which a server gave the page of this export last. */
    stay(path) {
      write(`${name} served`, path);
    },
    place: () => read(`${name} served`),
    /** Call `changed(items, base)` when another tab saved this export's work. */
    watch(changed) {
      globalThis.addEventListener("storage", (event) => {
        const kept = event.key === name && event.newValue !== null ? parse(event.newValue) : null;
        if (kept) changed(kept.items, kept.base);
      });
    },
  };
}

function parse(text) {
  const kept = jsonOrNull(text);
  const items = kept?.version === VERSION ? checkedItems(kept.items) : null;
  return items && { items, base: Array.isArray(kept.base) ? kept.base : [] };
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

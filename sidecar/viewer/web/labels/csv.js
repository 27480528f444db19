// Delimited tables (RFC 4180), and text out of the bytes of a file.

/** The rows of cells of a table, quotes resolved; a quote that is never closed, which would swallow rows, is an Error. */
export function parseTable(text, delimiter) {
  const rows = [];
  let cells = [];
  let at = 0;
  while (at < text.length) {
    const where = `row ${rows.length + 1}`;
    const [cell, end] = text[at] === '"' ? quotedCell(text, at, where) : plainCell(text, at, delimiter);
    cells.push(cell);
    at = end + 1;
    if (text[end] === delimiter) {
      if (at < text.length) continue;
      cells.push("");
    } else if (end < text.length && text[end] !== "\r" && text[end] !== "\n") {
      throw new Error(`${where}: there is text after a closing quote`);
    }
    if (text[end] === "\r" && text[at] === "\n") at += 1;
    rows.push(cells);
    cells = [];
  }
  return rows;
}

function plainCell(text, start, delimiter) {
  let end = start;
  while (end < text.length && text[end] !== delimiter && text[end] !== "\r" && text[end] !== "\n") end += 1;
  return [text.slice(start, end), end];
}

function quotedCell(text, start, where) {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 2)) {
    if (text[end + 1] !== '"') return [text.slice(start + 1, end).replaceAll('""', '"'), end + 1];
  }
  throw new Error(`${where}: a quote is opened and never closed`);
}

/** A table of plain values as CSV, quoted where it must be. */
export function writeTable(rows) {
  const quoted = (value) => (/[",\r\n]|^\s|\s$/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  return rows.map((cells) => `${cells.map((cell) => quoted(String(cell))).join(",")}\r\n`).join("");
}

/** A number with a decimal point, or with a decimal comma where commas do not divide the cells. */
export function parseNumber(text, delimiter, where) {
  const plain = delimiter === "," ? text.trim() : text.trim().replace(/^([^.,]*),([^.,]*)$/, "$1.$2");
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) || !Number.isFinite(Number(plain))) {
    throw new Error(`${where} "${text.trim().slice(0, 40)}" is not a number`);
  }
  return Number(plain);
}

/** Bytes as text: UTF-8, or UTF-16 with a byte order mark. Anything else is an Error. */
export function decodeText(bytes) {
  const encoding = { "255,254": "utf-16le", "254,255": "utf-16be" }[bytes.slice(0, 2).join()] ?? "utf-8";
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    throw new Error(`it is not ${encoding.toUpperCase()} text; save it again with the encoding UTF-8`);
  }
}

// Numbers as a reader wants them. The full number goes along in the value of a <data> element.

import { html } from "./preact.js";

const MINUS = "−";

/** A number with so many decimals, with a true minus sign and no "−0". */
export function numberText(value, decimals) {
  const text = Math.abs(value).toFixed(decimals);
  return value < 0 && Number(text) !== 0 ? MINUS + text : text;
}

/** Decimals that tell a hundredth of `size` apart: 3 for 0.2 mm, 5 for 5 µm. */
export const decimalsFor = (size) => Math.min(Math.max(Math.ceil(-Math.log10(size)) + 2, 1), 9);

/** A distance, to a tenth of a pixel or better. */
export function lengthText({ length, unit }, pixelWidth) {
  return length === null ? "not in one slice" : `${numberText(length, Math.max(decimalsFor(pixelWidth) - 1, 1))} ${unit}`;
}

/** Numbers side by side, each with its exact value for programs. */
export function Numbers({ values, decimals, names }) {
  return values.map(
    (value, i) => html`<span class="number">${names && html`<i>${names[i]}</i>`}<data value=${String(value)}>${numberText(value, decimals)}</data></span>`,
  );
}

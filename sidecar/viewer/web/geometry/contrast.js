// Window and level as the matrix of an SVG filter. A page opened from disk may not read pixels back, but it may filter them.

/**
 * Values of an feColorMatrix that shows `lower` black and `upper` white (PNG values), or the other way round.
 *
 * Browsers keep the high byte of a 16-bit PNG only. So for such stacks the page has copies with red = value >> 8 and green =
 * value & 255 of value = (PNG value - offset) · 2^(16 - bits), which this matrix puts together again: {offset, bits} is `split`.
 */
export function filterMatrix({ lower, upper, inverted }, largest, split) {
  const width = upper - lower;
  const sign = inverted ? -1 : 1;
  const constant = (((split ? split.offset : 0) - lower) / width) * sign + (inverted ? 1 : 0);
  const row = (red, green, blue) => [red, green, blue, 0, constant].map((part) => +part.toPrecision(9)).join(" ");
  const rows = split ? splitRows(row, sign / width, split.bits) : plainRows(row, (sign * largest) / width);
  return [...rows, "0 0 0 1 0"].join(" ");
}

/**
 * The same for stacks that are held in bytes: the colour (as a canvas has it, four bytes in one number) of each byte. Of a 16-bit stack the
 * bytes are the red ones of the copies, and each is shown as the middle of the values that have it.
 */
export function tableOf({ lower, upper, inverted }, split) {
  const valueOf = split ? (byte) => split.offset + (256 * byte + 127.5) / 2 ** (16 - split.bits) : (byte) => byte;
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    const part = Math.min(Math.max((valueOf(byte) - lower) / (upper - lower), 0), 1);
    const grey = Math.round(255 * (inverted ? 1 - part : part));
    return (0xff000000 | (grey << 16) | (grey << 8) | grey) >>> 0;
  });
}

const plainRows = (row, slope) => [row(slope, 0, 0), row(0, slope, 0), row(0, 0, slope)];

function splitRows(row, slope, bits) {
  const low = (slope * 255) / 2 ** (16 - bits);
  return Array(3).fill(row(256 * low, low, 0));
}

/** The line from PNG values to what the page shows of them: modality units where the sidecar has them. */
export function unitsOf({ value, bits }) {
  const { slope, intercept, unit } = value ?? { slope: 1, intercept: 0, unit: null };
  return {
    unit: unit ?? "",
    slope,
    largest: 2 ** bits - 1,
    toValue: (png) => slope * png + intercept,
  };
}

// How the pixels of a PNG lie in what was scanned: how large they are, and where its rows and columns run to.

import { anatomicalLetters, axisEnds, inSpace, scaled, subtract } from "./mapping.js";

const PATIENT = { millimetres: "Patient mm", axisNames: (space) => space, sideNames: (direction) => [...anatomicalLetters(direction)] };
/** A specimen has no left and no head, whichever way it lay: its axes are those of the scanner. */
const SPECIMEN = { millimetres: "Specimen mm, scanner axes", axisNames: () => "xyz", sideNames: (direction, space) => axisEnds(inSpace(direction, space)) };

/**
 * The words for what was scanned: {millimetres, axisNames(space), sideNames(direction, space)}, the last for an LPS direction, its
 * main axis first. A document that names a specimen is not of a patient.
 */
export const subjectOf = (doc) => (doc.specimen ? SPECIMEN : PATIENT);

/**
 * {unit, pixelWidth, pixelAspect, directionsOf} of a mapping. `unit` is "mm", or "px" (source pixels) where the source has no
 * geometry in millimetres; `pixelWidth` is the width of a PNG pixel in it and `pixelAspect` its height over its width, as far as is known.
 * directionsOf(slice) are the mm of one pixel along x and y, each null where that is not known.
 */
export function looksOf(doc, mapping) {
  return mapping.toPatient ? inMillimetres(doc, mapping) : inSource(doc, mapping);
}

const UNKNOWN = () => [null, null];

function inMillimetres(doc, { size, order, inPatient, toPatient }) {
  const middle = size.map((length) => (length - 1) / 2);
  const flat = doc.source.planes.length === 1;
  /** One pixel along an axis, the mean over the PNG; null along the normal of a single plane, where it has no extent. */
  const pixel = (axis, slice) => {
    if (flat && order[axis] === 2) return null;
    const steps = Math.max(size[axis] - 1, 1);
    const at = (along) => toPatient([axis === 0 ? along : middle[0], axis === 1 ? along : middle[1], slice]);
    return scaled(subtract(at(steps), at(0)), 1 / steps);
  };
  const directionsOf = (slice) => [pixel(0, slice), pixel(1, slice)];
  const [across, down] = directionsOf(Math.floor(middle[2])).map((direction) => direction && Math.hypot(...direction));
  const pixelWidth = across ?? down;
  return { unit: "mm", pixelWidth, pixelAspect: (down ?? pixelWidth) / pixelWidth, directionsOf: inPatient ? directionsOf : UNKNOWN };
}

function inSource(doc, { order, factors }) {
  const [betweenRows, betweenColumns] = doc.source.pixel_spacing ?? [];
  const spacings = order.map((axis) => [betweenColumns, betweenRows, undefined][axis]);
  const known = spacings[0] && spacings[1];
  const edge = (axis) => Math.abs(factors[axis]) * (known ? spacings[axis] : 1);
  return { unit: "px", pixelWidth: Math.abs(factors[0]), pixelAspect: edge(1) / edge(0), directionsOf: UNKNOWN };
}

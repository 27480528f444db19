// What part of an image the stage shows: plain numbers, no browser.
//
// A view is {scale, x, y}: the PNG pixel (x, y) in the middle of the stage, and the screen pixels (CSS) per PNG pixel along its
// shorter edge. Points are "center": the square of PNG pixel 0 reaches from -0.5 to 0.5.

const LARGEST_SCALE = 96;

/** Screen pixels per PNG pixel along x and y; the longer edge of a pixel that is not square is longer on the screen too. */
export function zoomOf(view, aspect) {
  return aspect >= 1 ? [view.scale, view.scale * aspect] : [view.scale / aspect, view.scale];
}

export function toScreen(view, aspect, stage, [x, y]) {
  const [zoomX, zoomY] = zoomOf(view, aspect);
  return [(x - view.x) * zoomX + stage.width / 2, (y - view.y) * zoomY + stage.height / 2];
}

export function toImage(view, aspect, stage, [left, top]) {
  const [zoomX, zoomY] = zoomOf(view, aspect);
  return [(left - stage.width / 2) / zoomX + view.x, (top - stage.height / 2) / zoomY + view.y];
}

/** The whole image, with a margin. */
export function fitView(aspect, stage, [columns, rows], margin = 28) {
  const [unitX, unitY] = zoomOf({ scale: 1 }, aspect);
  const room = [Math.max(stage.width - 2 * margin, 16), Math.max(stage.height - 2 * margin, 16)];
  const scale = Math.min(room[0] / (columns * unitX), room[1] / (rows * unitY), LARGEST_SCALE);
  return { scale, x: (columns - 1) / 2, y: (rows - 1) / 2 };
}

/** Zoom by a factor and leave the image point under the screen point where it is. */
export function zoomAbout(view, aspect, stage, size, screen, factor) {
  const smallest = Math.min(fitView(aspect, stage, size).scale / 2, 1);
  const scale = Math.min(Math.max(view.scale * factor, smallest), LARGEST_SCALE);
  const [x, y] = toImage(view, aspect, stage, screen);
  const [movedX, movedY] = toImage({ ...view, scale }, aspect, stage, screen);
  return within({ scale, x: view.x + x - movedX, y: view.y + y - movedY }, size);
}

export function panBy(view, aspect, size, [right, down]) {
  const [zoomX, zoomY] = zoomOf(view, aspect);
  return within({ ...view, x: view.x - right / zoomX, y: view.y - down / zoomY }, size);
}

/** The middle of the stage stays on the image, so that it cannot be lost. */
function within(view, [columns, rows]) {
  return { ...view, x: Math.min(Math.max(view.x, -0.5), columns - 0.5), y: Math.min(Math.max(view.y, -0.5), rows - 0.5) };
}

/** The roundest length (1, 2 or 5 times a power of ten) whose bar is at most `longest` screen pixels. */
export function scaleBar(perScreenPixel, longest = 160) {
  const room = perScreenPixel * longest;
  const decade = 10 ** Math.floor(Math.log10(room));
  const length = [5, 2, 1].map((step) => step * decade).find((step) => step <= room * (1 + 1e-9));
  return { length, pixels: length / perScreenPixel };
}

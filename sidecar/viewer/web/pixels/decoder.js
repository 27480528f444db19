// PNGs into bytes, in a worker: the page stays free for what the user does.

/**
 * The whole program of a worker: it may use nothing from outside of this function, whose text is what the worker is given. It is sent
 * {slice, url, width, height} and answers {slice, bytes} with the first channel of every pixel, in squares (see `squares`), or
 * {slice, failure}.
 */
function decoder() {
  const canvas = new OffscreenCanvas(1, 1);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.globalCompositeOperation = "copy";

  /** Some browsers blur or invent what pages read from a canvas, against being recognised; what they do to a pattern they do to PNGs. */
  function readsExactly() {
    canvas.width = 16;
    canvas.height = 16;
    const pattern = Uint8ClampedArray.from({ length: 1024 }, (_, i) => (i % 4 === 3 ? 255 : i >> 2));
    context.putImageData(new ImageData(pattern, 16, 16), 0, 0);
    return context.getImageData(0, 0, 16, 16).data.every((value, i) => value === pattern[i]);
  }

  async function bytesOf({ url, width, height }) {
    const response = await fetch(url, { priority: "low" });
    if (!response.ok) throw new Error(`the server answers ${response.status}`);
    const image = await createImageBitmap(await response.blob(), { colorSpaceConversion: "none", premultiplyAlpha: "none" });
    if (image.width !== width || image.height !== height) throw new Error(`it is ${image.width} × ${image.height} pixels, not ${width} × ${height}`);
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    context.globalCompositeOperation = "copy";
    context.drawImage(image, 0, 0);
    image.close();
    return squares(context.getImageData(0, 0, width, height).data, width, height);
  }

  /**
   * The first channel of pixels in squares of 8 × 8, which are as much as a processor fetches at once: columns are then read nearly as
   * fast as rows. Squares follow each other row by row, as the pixels of each; what is beyond the image is 0.
   */
  function squares(data, width, height) {
    const bytes = new Uint8Array(64 * Math.ceil(width / 8) * Math.ceil(height / 8));
    let to = 0;
    for (let top = 0; top < height; top += 8) {
      for (let left = 0; left < width; left += 8) {
        for (let y = top; y < top + 8; y += 1) {
          for (let x = left; x < left + 8; x += 1, to += 1) {
            if (x < width && y < height) bytes[to] = data[4 * (y * width + x)];
          }
        }
      }
    }
    return bytes;
  }

  const exact = readsExactly();
  globalThis.onmessage = async ({ data }) => {
    const { slice } = data;
    try {
      if (!exact) throw new Error("this browser does not let pages read pixels as they are; look for its setting against fingerprinting");
      const bytes = await bytesOf(data);
      postMessage({ slice, bytes }, [bytes.buffer]);
    } catch (error) {
      postMessage({ slice, failure: error.message });
    }
  };
}

/** The address of the worker's program. The policy of a served page lets workers run that this made, once, and no others. */
let program = null;

function programOfWorkers() {
  const url = URL.createObjectURL(new Blob([`(${decoder})();`], { type: "text/javascript" }));
  const allowed = globalThis.trustedTypes?.createPolicy("decoder", { createScriptURL: (own) => own });
  return allowed ? allowed.createScriptURL(url) : url;
}

/** So many workers that decode. */
export function startDecoders(count) {
  program ??= programOfWorkers();
  return Array.from({ length: count }, () => new Worker(program));
}

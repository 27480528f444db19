// Which export a page shows: in words, in the label files it saves, and against those it is given.

const TAG = "[bcdfghjklmnpqrstvwxz]{6}"; // as `sidecar/document/tag.py` has it
/** What a PNG is called without its tag, its number, and its tag. */
const TAGGED = new RegExp(`^(.+_([0-9]{4,}))_(${TAG})$`, "i");
const ONE_TAG = new RegExp(`^${TAG}$`, "i");
/** What a point of Slicer's is described by, as `sidecar/labels/readers/slicer.py` reads it too. */
const DESCRIPTION = new RegExp(`^sidecar(?: tag (?<tag>${TAG}))?(?: series (?<series>\\S+))?(?: specimen (?<specimen>.+))?$`);

/**
 * The export that a document describes, and that lies in the inner one of two `folders`: {specimen, series, tag, fileStem}. The
 * specimen is called as the user named it, or else as the folder, as `sidecar/labels/identity/exports.py` has it: a stack around one
 * landmark is of the specimen of those beside it. Label files begin with `fileStem`. What there is not is "".
 */
export function exportOf(doc, [parent, folder]) {
  const specimen = doc.specimen || (doc.zoom ? parent : folder);
  const fileStem = doc.zoom ? [doc.specimen, folder].filter(Boolean).join("_") : specimen;
  return { specimen, series: doc.source.series_instance_uid, tag: doc.images.tag ?? "", fileStem };
}

/** The two folders that a page opened from disk lies in, by the path of its URL, the inner one last; "" for the top of a drive. */
export const foldersOf = (pathname) => ["", ...pathname.split("/")].slice(-3, -1).map(folderName);

function folderName(part) {
  try {
    return decodeURIComponent(part).replace(/^[a-z]:$/i, "");
  } catch {
    return part; // a name in another encoding than UTF-8
  }
}

/** A label file of an export: "beetle-7_labels.csv". */
export const labelFile = ({ fileStem }, ending) => `${fileStem && `${fileStem}_`}labels${ending}`;

/** How much smaller the PNGs are, along x, y and number: "1/2", or "1/2 × 1 × 1/2" where that differs. */
export function scaleText(factors) {
  const scales = factors.map(Math.abs).map((factor) => (factor === 1 ? "1" : `1/${+factor.toPrecision(5)}`));
  return new Set(scales).size === 1 ? scales[0] : scales.join(" × ");
}

/** The parts of an image's name without folders and extension, {base, number, tag}; null where it has no tag. */
export function taggedName(key) {
  const [, base, number, tag] = TAGGED.exec(key) ?? [];
  return tag ? { base, number: Number(number), tag: tag.toLowerCase() } : null;
}

/** Whether a text is a tag, and not what somebody else has in a column of that name. */
export const isTag = (text) => ONE_TAG.test(text);

/** What the description of a point of Slicer's says of its export. */
export const toDescription = ({ tag, series, specimen }) =>
  ["sidecar", tag && `tag ${tag}`, series && `series ${series}`, specimen && `specimen ${specimen}`].filter(Boolean).join(" ");

/** {tag, series, specimen} of a description, "" for what it does not say. */
export function fromDescription(text) {
  const { tag = "", series = "", specimen = "" } = DESCRIPTION.exec(text)?.groups ?? {};
  return { tag, series, specimen };
}

/**
 * An Error where the export that a file states, {tag, series, specimen} with "" for what it does not say, is another than `own`, by its
 * tag or its series; what the specimen is called proves nothing. `what` is the row, point or image that states it.
 */
export function refuseOther(stated, own, what) {
  const otherTag = stated.tag !== "" && stated.tag.toLowerCase() !== own.tag;
  const otherSeries = stated.series !== "" && stated.series !== own.series;
  if (!otherTag && !otherSeries) return;
  const sameScan = stated.series !== "" && !otherSeries;
  const wayOut = sameScan ? ". Both exports are of one scan; sidecar map-points and then sidecar project bring landmarks from one to the other" : "";
  throw new Error(`${what} belongs to another export (${inWords(stated)}); this page shows ${inWords(own)}${wayOut}`);
}

const inWords = ({ specimen, tag, series }) => [specimen, tag && `tag ${tag}`, series && `series ${series}`].filter(Boolean).join(", ");

// Which export a page shows: in words, in the label files it saves, and against those it is given.

const TAG = "[bcdfghjklmnpqrstvwxz]{6}"; // as `sidecar/document/tag.py` has it
/** What a PNG is called without its tag, its number, and its tag. */
const TAGGED = new RegExp(`^(.+_([0-9]{4,}))_(${TAG})$`, "i");
const ONE_TAG = new RegExp(`^${TAG}$`, "i");
/** What a point of Slicer's is described by, as `sidecar/labels/readers/slicer.py` reads it too. */
const DESCRIPTION = new RegExp(`^sidecar(?: tag (?<tag>${TAG}))?(?: series (?<series>\\S+))?(?: specimen (?<specimen>\\S+))?$`);

/**
 * The export that a document describes, for a page at the path `pathname` of a URL: {specimen, series, tag, name, fileStem}.
 * `specimen` and `tag` are "" where the document has none. People know the export by its `name`, that of the specimen or else of the
 * folder, and its label files begin with `fileStem`; both are "" where there is neither.
 */
export function exportOf(doc, pathname) {
  const specimen = doc.specimen ?? "";
  const folder = folderOf(pathname);
  const name = specimen || folder;
  // Stacks around the landmarks of one specimen share its name: their folders tell them apart.
  const fileStem = doc.zoom ? [specimen, folder].filter(Boolean).join("_") : name;
  return { specimen, series: doc.source.series_instance_uid, tag: doc.images.tag ?? "", name, fileStem };
}

/** The folder that a page lies in; "" for the top of a drive or server. */
function folderOf(pathname) {
  const folder = pathname.split("/").at(-2) ?? "";
  try {
    return decodeURIComponent(folder).replace(/^[a-z]:$/i, "");
  } catch {
    return folder; // a name in another encoding than UTF-8
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
 * An Error where the export that a file states, {tag, series, specimen} with "" for what it does not say, is another than `own`.
 * Equal tags settle which mapping it is: then the specimen may have been named later. `what` is the row, point or image that states it.
 */
export function refuseOther(stated, own, what) {
  const sameTag = stated.tag !== "" && stated.tag.toLowerCase() === own.tag;
  const otherTag = stated.tag !== "" && !sameTag;
  const otherSeries = stated.series !== "" && stated.series !== own.series;
  const otherSpecimen = !sameTag && stated.specimen !== "" && own.specimen !== "" && stated.specimen !== own.specimen;
  if (!otherTag && !otherSeries && !otherSpecimen) return;
  const sameScan = stated.series !== "" && !otherSeries && !otherSpecimen;
  const wayOut = sameScan ? ". Both are of one scan: sidecar map-points and sidecar project bring landmarks from one to the other" : "";
  throw new Error(`${what} is of another export (${inWords(stated)}); this page shows ${inWords({ ...own, specimen: own.name })}${wayOut}`);
}

const inWords = ({ specimen, tag, series }) => [specimen, tag && `tag ${tag}`, series && `series ${series}`].filter(Boolean).join(", ");

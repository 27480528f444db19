// The bar above the stage, and the slider and the readout below it.

import { decimalsFor, Numbers, numberText } from "./text.js";
import { scaleText } from "../labels/identity.js";
import { html, memo, useRef } from "./preact.js";
import { axesOf, inSpace } from "../geometry/mapping.js";
import { zoomOf } from "../geometry/view.js";
import { isPlaced, shownOn } from "../labels/work.js";

const ICONS = {
  undo: "M8 5 4 9l4 4M4 9h10.5a5 5 0 0 1 0 10H11",
  redo: "m16 5 4 4-4 4M20 9H9.5a5 5 0 0 0 0 10H13",
  open: "M12 16V4M7 9l5-5 5 5M4 15v4a1 1 0 0 0 1 1h14a1 1 0 0 0 1-1v-4",
  save: "M12 4v12M7 11l5 5 5-5M4 15v4a1 1 0 0 0 1 1h14a1 1 0 0 0 1-1v-4",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  fit: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  actual: "M6 8l2-2v12M16 8l2-2v12M12 10v.1M12 14v.1",
  back: "m15 5-7 7 7 7",
  on: "m9 5 7 7-7 7",
  list: "M8 6h12M8 12h12M8 18h12M4 6h.1M4 12h.1M4 18h.1",
  three: "M4 4h9v9H4zM16 4h4v9h-4zM4 16h9v4H4z",
  magnifier: "M10.5 4a6.5 6.5 0 1 1 0 13a6.5 6.5 0 1 1 0-13M15.5 15.5 21 21M10.5 8v5M8 10.5h5",
  remove: "M5 7h14M10 11v6M14 11v6M7 7l1 13h8l1-13M9 7V4h6v3",
  help: "M9 9a3 3 0 1 1 4.5 2.6c-1 .6-1.5 1.2-1.5 2.4M12 18v.1",
};

export function Icon({ name }) {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d=${ICONS[name]} /></svg>`;
}

export function Button({ icon, label, text, ...rest }) {
  return html`<button type="button" title=${label} aria-label=${label} ...${rest}><${Icon} name=${icon} />${text && html`<span>${text}</span>`}</button>`;
}

export function TopBar({ viewer, state }) {
  const input = useRef(null);
  const { landmarks, mapping } = viewer;
  const none = landmarks.together.every((some) => some.finished().length === 0);
  const opened = (event) => {
    const [file] = event.target.files;
    if (file) landmarks.open(file);
    event.target.value = "";
  };
  return html`
    <header>
      ${viewer.saving && html`<${Specimens} saving=${viewer.saving} />`}
      <h1><bdi>${shownName(viewer)}</bdi></h1>
      <p class="summary">${factsOf(viewer).join(" · ")}</p>
      <div class="tools">
        <${Button} icon="undo" label="Undo (Ctrl+Z)" disabled=${landmarks.past.length === 0} onClick=${() => landmarks.undo()} />
        <${Button} icon="redo" label="Redo (Ctrl+Y)" disabled=${landmarks.future.length === 0} onClick=${() => landmarks.redo()} />
        <input ref=${input} id="file" type="file" accept=".csv,.tsv,.txt,.json" onChange=${opened} hidden />
        <${Button} icon="open" text="Open" label="Open a labels.csv, a Slicer .mrk.json, or a list of names" onClick=${() => input.current.click()} />
        ${viewer.saving && html`<output id="saving" class=${state.saving === "saved" ? "" : "due"} title="labels.csv in the folder that is labelled">${state.saving}</output>`}
        <${Button} id="save-csv" icon="save" text="CSV" label=${`Save landmarks as ${landmarks.fileName(".csv")}`} disabled=${none} onClick=${() => landmarks.saveCsv()} />
        <${Button}
          id="save-markups"
          icon="save"
          text="Slicer"
          label=${mapping.inPatient ? `Save landmarks as Slicer markups, LPS mm: ${landmarks.fileName(".mrk.json")}` : "Slicer markups need patient geometry, which this stack does not have"}
          disabled=${none || !mapping.inPatient}
          onClick=${() => landmarks.saveMarkups()}
        />
        <${Button} icon="help" label="Keys and help (?)" onClick=${() => viewer.set({ help: true })} />
      </div>
    </header>
  `;
}

/** The ways to other specimens, of a served page among several. */
function Specimens({ saving }) {
  const { list, before, after } = saving.server.around;
  if (!list) return null;
  return html`
    <nav aria-label="Specimens">
      <${Button} id="before" icon="back" label="Previous specimen (,)" disabled=${!before} onClick=${() => saving.leave(before)} />
      <${Button} id="list" icon="list" label="List of specimens (S)" onClick=${() => saving.leave(list)} />
      <${Button} id="after" icon="on" label="Next specimen (.)" disabled=${!after} onClick=${() => saving.leave(after)} />
    </nav>
  `;
}

/** What the export is called; a stack around one landmark by that too. */
const shownName = ({ page, own }) => [page.document.zoom?.label, own.specimen].filter(Boolean).join(" · ") || "sidecar";

function factsOf({ page, own, mapping }) {
  const { source, images } = page.document;
  const spacing = images.spacing?.filter((part) => part !== null).map((part) => +part.toPrecision(4));
  return [
    own.tag && `tag ${own.tag}`,
    source.modality,
    `${mapping.size.join(" × ")} PNG pixels`,
    `scale ${scaleText(mapping.factors)}`,
    spacing && `${spacing.join(" × ")} mm`,
  ].filter(Boolean);
}

/** What the tab is called: the name first, which is all that a narrow one shows. */
export const pageTitle = (viewer) => `${[shownName(viewer), ...factsOf(viewer)].join(" · ")} – sidecar`;

export const SliceBar = memo(({ viewer, wanted, items, view, three, magnified }) => {
  const last = viewer.names.length - 1;
  const marked = new Set(items.filter(isPlaced).map(shownOn));
  const typed = (event) => {
    if (event.target.value.trim() !== "" && Number.isFinite(Number(event.target.value))) viewer.goTo(Number(event.target.value));
    event.target.value = String(viewer.state.wanted);
  };
  return html`
    <div class="slices">
      <${Button} icon="back" label="Previous slice (↑)" disabled=${wanted === 0} onClick=${() => viewer.step(-1)} />
      <div class="track">
        <input
          id="slice"
          type="range"
          min="0"
          max=${last}
          step="1"
          value=${wanted}
          disabled=${last === 0}
          aria-label="Slice"
          onInput=${(event) => viewer.goTo(event.target.valueAsNumber)}
        />
        <svg class="ticks" viewBox=${`0 0 ${Math.max(last, 1)} 1`} preserveAspectRatio="none" aria-hidden="true">
          ${[...marked].map((slice) => html`<path key=${slice} d=${`M${slice} 0V1`} />`)}
        </svg>
      </div>
      <${Button} icon="on" label="Next slice (↓)" disabled=${wanted === last} onClick=${() => viewer.step(1)} />
      <label class="count">slice <input class="short" inputmode="numeric" value=${wanted} onChange=${typed} aria-label="Slice number" /> of 0–${last}</label>
      <span class="ways">
        <${Button}
          id="three"
          icon="three"
          label=${viewer.across.refusal ? `Three planes (T): not here. ${viewer.across.refusal}` : "Three planes (T)"}
          aria-pressed=${three}
          onClick=${() => viewer.toggleThree()}
        />
        <${Button} id="magnify" icon="magnifier" label="Magnifier at the pointer (G)" aria-pressed=${magnified} onClick=${() => viewer.toggleMagnifier()} />
      </span>
      <span class="zooms">
        <${Button} icon="minus" label="Zoom out (−)" onClick=${() => viewer.zoom(0.8)} />
        <output title="screen pixels per PNG pixel">${view && zoomText(viewer, view)}</output>
        <${Button} icon="plus" label="Zoom in (+)" onClick=${() => viewer.zoom(1.25)} />
        <${Button} icon="fit" label="Whole image (0)" onClick=${() => viewer.fit()} />
        <${Button} icon="actual" label="One PNG pixel to one screen pixel (1)" onClick=${() => viewer.zoomToActual()} />
      </span>
    </div>
  `;
});

function zoomText(viewer, view) {
  const zoom = Math.min(...zoomOf(view, viewer.looks.pixelAspect));
  return zoom >= 10 ? `${zoom.toFixed(0)}×` : `${zoom.toFixed(2)}×`;
}

/** PNG pixel, source voxel and patient millimetres of the cursor, always. */
export function Readout({ viewer, state }) {
  const [x, y, slice] = viewer.cursorSpot();
  const { pixel, source, patient } = viewer.placeOf([x, y], slice);
  const { looks, mapping, subject } = viewer;
  const axes = axesOf(mapping, state.space);
  const outside = !viewer.contains(pixel);
  return html`
    <dl id="readout" class=${outside ? "readout outside" : "readout"}>
      <div id="png"><dt>PNG pixel</dt><dd><${Numbers} values=${pixel.slice(0, 2)} decimals=${2} names="xy" /><span class="number"><i>slice</i><data class="whole" value=${String(slice)}>${numberText(slice, Number.isInteger(slice) ? 0 : 2)}</data></span></dd></div>
      <div id="source"><dt>Source voxel</dt><dd><${Numbers} values=${source} decimals=${2} names=${["column", "row", "slice"]} /></dd></div>
      ${patient
        ? html`
            <div id="patient">
              <dt>
                ${mapping.inPatient ? subject.millimetres : "mm along the axes"}
                ${mapping.inPatient &&
                html`<span class="spaces" role="group" aria-label="Space of the millimetres">
                  ${["LPS", "RAS"].map(
                    (space) => html`<button type="button" aria-pressed=${state.space === space} onClick=${() => viewer.setSpace(space)}>${space}</button>`,
                  )}
                </span>`}
              </dt>
              <dd><${Numbers} values=${inSpace(patient, axes)} decimals=${decimalsFor(looks.pixelWidth)} names=${mapping.inPatient ? subject.axisNames(state.space) : ["column", "row", "slice"]} /></dd>
            </div>
          `
        : html`<div id="patient"><dt>${subject.millimetres}</dt><dd class="none">this source has no geometry in millimetres</dd></div>`}
    </dl>
  `;
}

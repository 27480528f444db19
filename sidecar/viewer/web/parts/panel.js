// The panel beside the stage: landmarks, distance, contrast, and what the stack is.

import { Button } from "./bars.js";
import { curveText, isCurve, isDrawn } from "../labels/curves.js";
import { CurveDetails, NewCurve } from "./curveviews.js";
import { axesOf, inSpace } from "../geometry/mapping.js";
import { html, memo, useLayoutEffect, useRef } from "./preact.js";
import { decimalsFor, lengthText, Numbers, numberText } from "./text.js";
import { isPlaced } from "../labels/work.js";
import { ZoomTable } from "./zoomlist.js";

/** Longer ones, such as "SIGNAL INTENSITY (UNITLESS)", are shown when pointed at. */
const LONGEST_UNIT = 8;

export const Panel = memo(({ viewer, items, selected, measured, window, space, slice, drawing, zooms, lists }) => html`
  <aside class="panel">
    ${zooms && html`<${ZoomTable} zooms=${zooms} viewer=${viewer} lists=${lists} />`}
    <${LandmarkList} viewer=${viewer} items=${items} selected=${selected} drawing=${drawing} space=${space} />
    <${Distance} viewer=${viewer} items=${items} measured=${measured} />
    <${Contrast} viewer=${viewer} window=${window} />
    <${Facts} viewer=${viewer} slice=${slice} />
  </aside>
`);

const LandmarkList = memo(({ viewer, items, selected, drawing, space }) => {
  const placed = items.filter((item) => isPlaced(item) || isDrawn(item)).length;
  const next = viewer.landmarks.next();
  return html`
    <section class="landmarks" aria-labelledby="landmarks-title">
      <h2 id="landmarks-title">Landmarks <span class="tally">${items.length > 0 && `${placed} of ${items.length} placed`}</span></h2>
      ${items.length === 0 &&
      html`<p class="empty">Click in the image to place the first landmark. <b>Open</b> reads a list of names to work through, one name per line, or landmarks that you placed before.</p>`}
      <ol id="landmarks">
        ${items.map(
          (item) => html`<${Row} key=${item.id} viewer=${viewer} item=${item} chosen=${item.id === selected} next=${item === next} drawing=${item.id === drawing} space=${space} />`,
        )}
      </ol>
      <div class="actions"><${NewCurve} viewer=${viewer} /></div>
    </section>
  `;
});

const Row = memo(({ viewer, item, chosen, next, drawing, space }) => {
  const row = useRef(null);
  useLayoutEffect(() => {
    if (chosen || next) row.current.scrollIntoView({ block: "nearest" });
  }, [chosen, next]);
  const kind = [isPlaced(item) || isDrawn(item) ? "placed" : "open", chosen && "chosen", next && "next"].filter(Boolean).join(" ");
  return html`
    <li ref=${row} class=${kind} data-id=${item.id}>
      <button type="button" class="name" aria-pressed=${chosen} onClick=${() => viewer.landmarks.select(item.id)}>
        <span class="dot" aria-hidden="true"></span>
        <bdi>${item.label || "unnamed"}</bdi>
        <span class="where">${isCurve(item) ? curveText(item.curve) : isPlaced(item) ? `slice ${+item.slice.toFixed(2)}` : next ? "next" : ""}</span>
      </button>
      ${chosen && html`<${Details} viewer=${viewer} item=${item} drawing=${drawing} space=${space} />`}
    </li>
  `;
});

function Details({ viewer, item, drawing, space }) {
  const { landmarks, looks, mapping } = viewer;
  const axes = axesOf(mapping, space);
  const place = isPlaced(item) ? viewer.placeOf([item.x, item.y], item.slice) : null;
  const renamed = (event) => {
    landmarks.rename(item.id, event.target.value);
    event.target.value = landmarks.item(item.id)?.label ?? "";
  };
  return html`
    <div class="details">
      <input class="label" value=${item.label} maxlength="200" aria-label="Name" onChange=${renamed} />
      ${place &&
      html`
        <dl>
          <dt>PNG</dt><dd class="pixel"><${Numbers} values=${[item.x, item.y, item.slice]} decimals=${2} /></dd>
          <dt>Source</dt><dd class="source"><${Numbers} values=${place.source} decimals=${2} /></dd>
          ${place.patient && html`<dt>${mapping.inPatient ? `${axes} mm` : "mm"}</dt><dd class="patient"><${Numbers} values=${inSpace(place.patient, axes)} decimals=${decimalsFor(looks.pixelWidth)} /></dd>`}
        </dl>
      `}
      ${isCurve(item) && html`<${CurveDetails} viewer=${viewer} item=${item} isDrawing=${drawing} />`}
      <div class="actions">
        ${place &&
        html`
          <button type="button" onClick=${() => landmarks.measure(0, item.id)}>Measure from</button>
          <button type="button" onClick=${() => landmarks.measure(1, item.id)}>to here</button>
        `}
        <${Button} icon="remove" class="remove" label=${place || isCurve(item) ? "Remove this landmark (Delete)" : "Remove this name from the list"} onClick=${() => landmarks.remove(item.id)} />
      </div>
    </div>
  `;
}

const Distance = memo(({ viewer, items, measured }) => {
  const placed = items.filter(isPlaced);
  if (placed.length < 2) return null;
  const distance = viewer.landmarks.distance();
  const end = (i, name) => html`
    <label>
      ${name}
      <select value=${measured[i] ?? ""} onChange=${(event) => viewer.landmarks.measure(i, Number(event.target.value) || null)}>
        <option value="">–</option>
        ${placed.map((item) => html`<option key=${item.id} value=${item.id}>${item.label || "unnamed"}</option>`)}
      </select>
    </label>
  `;
  return html`
    <section class="distance" aria-labelledby="distance-title">
      <h2>
        <span id="distance-title">Distance</span>
        ${distance
          ? html`<output id="distance"><data value=${String(distance.length)}>${lengthText(distance, viewer.looks.pixelWidth)}</data></output>`
          : html`<span class="tally">choose two landmarks</span>`}
      </h2>
      <div class="ends">${end(0, "from")}${end(1, "to")}</div>
    </section>
  `;
});

const Contrast = memo(({ viewer, window }) => {
  const { units } = viewer;
  const { lower, upper } = viewer.page.whole;
  const [narrowest, widest] = viewer.widths();
  const width = Math.abs(units.slope) * viewer.width();
  const decimals = Math.min(Math.max(2 - Math.floor(Math.log10(width)), 0), 9); // three figures of the width
  const shown = (value) => html`<output title=${units.unit}>${numberText(value, decimals)} ${units.unit.length <= LONGEST_UNIT && units.unit}</output>`;
  return html`
    <section class="contrast" aria-labelledby="contrast-title">
      <h2 id="contrast-title">Contrast</h2>
      <div class="ends">
        <label title="The value that is shown half-way between black and white ([ and ])">
          level ${shown(units.toValue(viewer.level()))}
          <input
            id="level"
            type="range"
            aria-label="Level"
            min=${lower}
            max=${upper}
            step="any"
            value=${viewer.level()}
            onInput=${(event) => viewer.setLevelAndWidth(event.target.valueAsNumber, viewer.width())}
          />
        </label>
        <label title="The distance between the values that are shown black and white ({ and })">
          width ${shown(width)}
          <!-- Even in the logarithm: narrow windows need finer steps than wide ones. -->
          <input
            id="width"
            type="range"
            aria-label="Width"
            min=${Math.log(narrowest)}
            max=${Math.log(widest)}
            step="any"
            value=${Math.log(viewer.width())}
            onInput=${(event) => viewer.setLevelAndWidth(viewer.level(), Math.exp(event.target.valueAsNumber))}
          />
        </label>
      </div>
      <div class="actions">
        <button type="button" title="Fit black and white to the values that nearly all pixels have (A)" onClick=${() => viewer.automaticWindow()}>Automatic</button>
        <button type="button" title="Show all possible values, from the lowest to the highest" onClick=${() => viewer.setWindow(viewer.page.whole)}>All</button>
        <button type="button" aria-pressed=${window.inverted} title="Exchange black and white (I)" onClick=${() => viewer.invert()}>Inverted</button>
        <button type="button" title="The contrast that the page opened with (R)" onClick=${() => viewer.resetWindow()}>Reset</button>
      </div>
    </section>
  `;
});

const Facts = memo(({ viewer, slice }) => {
  const { document } = viewer.page;
  const instance = viewer.mapping.instanceOf(slice);
  const rows = [
    ["Series", document.source.series_instance_uid],
    ["Study", document.source.study_instance_uid],
    instance && ["Instance", instance.sop_instance_uid],
    instance?.frame_number && ["Frame", instance.frame_number],
    ["Source", `${document.source.size.join(" × ")} voxels`],
    ["PNG", `${document.images.bits} bits${document.images.channels === 3 ? ", colour" : ""}`],
  ];
  return html`
    <details class="facts">
      <summary>About this stack</summary>
      <dl>${rows.filter(Boolean).map(([name, value]) => html`<dt>${name}</dt><dd><bdi>${value}</bdi></dd>`)}</dl>
      ${document.warnings.length > 0 && html`<ul class="warnings">${document.warnings.map((warning) => html`<li><bdi>${warning}</bdi></li>`)}</ul>`}
      <p class="licence">Made by ${document.generator}. The page uses Preact (MIT) and htm (Apache 2.0).</p>
    </details>
  `;
});

// Puts the page together.

import { Alone } from "./stacks/alone.js";
import { pageTitle, Readout, SliceBar, TopBar } from "./parts/bars.js";
import { KEYS, onKey, SPECIMEN_KEYS } from "./parts/keys.js";
import { Panel } from "./parts/panel.js";
import { Planes } from "./parts/planes.js";
import { html, render, useLayoutEffect, useRef } from "./parts/preact.js";
import { Stage } from "./parts/stage.js";
import { Saving } from "./keeping/saving.js";
import { Zooms } from "./stacks/zooms.js";

function App({ viewer, state }) {
  return html`
    <${TopBar} viewer=${viewer} state=${state} />
    <main class=${state.three ? "three" : ""}>
      <${Stage} key=${viewer.page.folder} viewer=${viewer} state=${state} />
      ${state.three && html`<${Planes} key=${viewer.page.folder} viewer=${viewer} state=${state} />`}
      <${SliceBar} viewer=${viewer} wanted=${state.wanted} items=${state.items} view=${state.view} three=${state.three} magnified=${state.magnified} />
      <${Readout} viewer=${viewer} state=${state} />
    </main>
    <${Panel}
      viewer=${viewer}
      items=${state.items}
      selected=${state.selected}
      measured=${state.measured}
      window=${state.window}
      space=${state.space}
      slice=${state.shown ?? state.wanted}
      drawing=${state.drawing}
      zooms=${viewer.zooms}
      lists=${viewer.zooms?.lists()}
    />
    <div class="spoken" role="status">${state.spoken}</div>
    <${Message} viewer=${viewer} message=${state.message} />
    ${state.help && html`<${Help} viewer=${viewer} close=${() => viewer.set({ help: false })} />`}
  `;
}

function Message({ viewer, message }) {
  return html`
    <div id="message" class=${message ? (message.bad ? "message bad" : "message") : "message empty"} role=${message?.bad ? "alert" : "status"}>
      ${message && html`<bdi>${message.text}</bdi><button type="button" onClick=${() => viewer.set({ message: null })}>Close</button>`}
    </div>
  `;
}

function Help({ viewer, close }) {
  const dialog = useRef(null);
  useLayoutEffect(() => dialog.current.showModal(), []);
  return html`
    <dialog ref=${dialog} onClose=${close} aria-labelledby="help-title">
      <h2 id="help-title">Keys and gestures</h2>
      <table>
        <tbody>
          <tr><th>Click, tap</th><td>place the next landmark, or choose the one that is there</td></tr>
          <tr><th>Ctrl click</th><td>move the cross there without placing a landmark; with Shift the cross follows the pointer</td></tr>
          <tr><th>Drag</th><td>move a landmark, a vertex of a curve, or the image</td></tr>
          <tr><th>Wheel</th><td>change the slice, or in the other planes the column or row; with Shift ten at a time, with Ctrl zoom</td></tr>
          <tr><th>Two fingers</th><td>zoom and move</td></tr>
          <tr><th>Right drag</th><td>window (sideways) and level (up and down); Shift drag does the same</td></tr>
          ${[...KEYS, ...(viewer.server?.around.list ? SPECIMEN_KEYS : [])].map(([keys, action]) => html`<tr><th><kbd>${keys}</kbd></th><td>${action}</td></tr>`)}
        </tbody>
      </table>
      <p>
        This browser keeps what you place on this export, also after you close the page. Numbers count from 0, the middle of the first pixel, voxel or slice.
        ${viewer.server ? html`<b>labels.csv</b> beside the ${viewer.zooms ? "folders of the stacks" : "PNGs"} is saved as you work` : html`Put <b><bdi>${viewer.landmarks.fileName(".csv")}</bdi></b> beside the ${viewer.zooms ? "page" : "PNGs"}`}.
        Give this file to <code>sidecar map-points</code>.
      </p>
      ${!viewer.server && html`<p class="served-instead">This page was opened from disk. <code>sidecar label FOLDER</code>, with the folder of this page, shows it with three planes, and saves labels.csv there as you work.</p>`}
      ${viewer.server && viewer.across.refusal && html`<p id="one-plane">${viewer.across.refusal}</p>`}
      <form method="dialog"><button autofocus>Close</button></form>
    </dialog>
  `;
}

function start() {
  const root = document.getElementById("app");
  const page = JSON.parse(document.getElementById("page").textContent);
  let shown = null;
  let saving = null;
  let asked = 0;
  const draw = () => {
    asked = 0;
    document.title = pageTitle(shown.viewer);
    render(html`<${App} viewer=${shown.viewer} state=${shown.viewer.state} />`, root);
  };
  const changed = () => {
    if (shown && !asked) asked = requestAnimationFrame(draw);
  };
  try {
    const opened = page.zooms ? new Zooms(page, changed) : new Alone(page, changed);
    saving = page.served && new Saving(opened);
    shown = opened;
  } catch (error) {
    root.textContent = `This page cannot be used: ${error.message}`;
    return;
  }
  shown.begin();
  saving?.start();
  draw();
  document.addEventListener("keydown", (event) => onKey(shown.viewer, event));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length > 0) shown.viewer.landmarks.open(event.dataTransfer.files[0]);
  });
}

start();

// The list of specimens of a folder of exports, with how many landmarks each has, and is to have: `wanted`, 0 where no names were given.

import { html, render } from "./parts/preact.js";
import { Presence } from "./keeping/presence.js";
import { Server } from "./keeping/served.js";

const page = JSON.parse(document.getElementById("page").textContent);
const root = document.getElementById("app");

function List({ specimens, unreachable }) {
  return html`
    <div class="specimens" role="main">
      <h1>${specimens.length} specimens</h1>
      <p>↑ and ↓ choose a specimen, Enter opens it, N opens the first specimen with landmarks to place.</p>
      ${unreachable && html`<p class="fault" role="alert">The server of this page does not answer. Run sidecar label again for this folder.</p>`}
      <table>
        <thead><tr><th scope="col">Specimen</th><th scope="col">Tag</th><th scope="col" class="count">Landmarks</th><th scope="col"><span class="spoken">What is wrong</span></th></tr></thead>
        <tbody>
          ${specimens.map(
            ({ number, name, specimen, tag, placed, wanted, fault }) => html`
              <tr key=${number}>
                <td><a href=${`${number}/`}><bdi>${specimen && specimen !== name ? `${specimen} (${name})` : name}</bdi></a></td>
                <td>${tag}</td>
                <td class="count">${wanted > 0 ? `${placed} of ${wanted}` : placed}</td>
                <td class="fault">${fault && html`<bdi>${fault}</bdi>`}</td>
              </tr>
            `,
          )}
        </tbody>
      </table>
    </div>
  `;
}

const draw = (unreachable = false) => render(html`<${List} ...${page} unreachable=${unreachable} />`, root);

function onKey(event) {
  const links = [...root.querySelectorAll("a")];
  const at = links.indexOf(document.activeElement);
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (step) {
    event.preventDefault();
    links[Math.min(Math.max(at + step, 0), links.length - 1)].focus();
  } else if (event.key.toLowerCase() === "n") {
    const open = page.specimens.findIndex(({ placed, wanted }) => placed < Math.max(wanted, 1));
    if (open >= 0) links[open].click();
  }
}

document.title = `${page.specimens.length} specimens – sidecar`;
draw();
root.querySelector("a")?.focus();
document.addEventListener("keydown", onKey);
new Presence(new Server(page), ({ status, answer }) => {
  if (status === 200) page.specimens = answer.specimens;
  draw(status !== 200);
});

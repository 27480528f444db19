// The parts of Preact and htm this page is made with; both are bundled in front of it.

export const { h, render, Component, Fragment } = globalThis.preact;
export const { useLayoutEffect, useRef, useState } = globalThis.preactHooks;
export const html = globalThis.htm.bind(h);

/** A component that is drawn anew only when one of its properties changed. */
export function memo(draw) {
  return class extends Component {
    shouldComponentUpdate(next) {
      return Object.keys(next).some((key) => key !== "children" && next[key] !== this.props[key]);
    }

    render(props) {
      return draw(props);
    }
  };
}

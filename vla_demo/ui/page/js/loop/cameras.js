// What the twin's cameras showed, kept in the browser: every picture with its time, and the one that belongs to the moment on show.

import { make } from "../shared/dom.js";

export function createCameras(host) {
  let lanes = []; // one a lane: {node, image: camera -> img, film: camera -> [{t, url}], caption}
  let start = {}; // camera -> address of the picture at the start

  function load(labels, cameras, main) {
    forget();
    const order = [main, ...cameras.filter((camera) => camera !== main)];
    lanes = labels.map((label, i) => lane(label, order, labels.length > 1 ? "AB"[i] : null));
    host.replaceChildren(...lanes.map(({ node }) => node));
    host.dataset.count = labels.length;
    show(0);
  }

  function lane(label, cameras, letter) {
    const image = Object.fromEntries(cameras.map((camera) => [camera, make("img", { alt: `${camera} camera, ${label}`, width: 640, height: 480, draggable: "false" })]));
    const caption = make("p", { class: "caption" });
    const figures = cameras.map((camera) => make("figure", {}, image[camera], make("figcaption", {}, camera)));
    if (letter) figures[0].append(make("b", { class: "letter", "aria-hidden": "true" }, letter));
    figures[0].append(caption);
    return { node: make("div", { class: "views", role: "group", "aria-label": `Cameras, ${label}` }, ...figures), image, caption, film: Object.fromEntries(cameras.map((camera) => [camera, []])), states: [], seen: -1 };
  }

  function address(base64) {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    return URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" }));
  }

  function scene(pictures) {
    Object.values(start).forEach((url) => URL.revokeObjectURL(url));
    start = Object.fromEntries(Object.entries(pictures).map(([camera, picture]) => [camera, address(picture)]));
  }

  function add(index, { t, state, pictures }) {
    const { film, states } = lanes[index];
    if (t <= lanes[index].seen) return; // heard before
    lanes[index].seen = t;
    for (const [camera, picture] of Object.entries(pictures)) film[camera].push({ t, url: address(picture) });
    if (states.at(-1)?.state !== state) states.push({ t, state });
  }

  function forget() {
    for (const lane of lanes) {
      const { film, states } = lane;
      lane.seen = -1;
      for (const shots of Object.values(film)) shots.splice(0).forEach(({ url }) => URL.revokeObjectURL(url));
      states.length = 0;
    }
  }

  const last = (list, t) => list.findLast((one) => one.t <= t + 1e-6);

  function show(t) {
    for (const { image, film, states, caption } of lanes) {
      for (const [camera, node] of Object.entries(image)) {
        const url = last(film[camera], t)?.url ?? start[camera];
        if (url && node.getAttribute("src") !== url) node.src = url;
      }
      const state = last(states, t)?.state ?? "";
      if (caption.textContent !== state) caption.textContent = state;
      caption.classList.toggle("done", state.startsWith("done"));
    }
  }

  return { load, scene, add, forget, show, empty: () => Object.keys(start).length === 0 };
}

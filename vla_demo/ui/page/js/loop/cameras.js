// The cameras of each lane: the picture that belongs to the moment on show.

import { make, write } from "../shared/dom.js";
import { addressOf, Film } from "./film.js";

/** @typedef {{ node: HTMLElement, images: Map<string, HTMLImageElement>, caption: HTMLElement, film: Film }} LaneView */

/** @param {HTMLElement} host */
export function createCameras(host) {
  let lanes = /** @type {LaneView[]} */ ([]);
  let start = /** @type {Record<string, string>} */ ({}); // camera -> address of the picture at the start

  function load(labels, cameras, main) {
    for (const { film } of lanes) film.forget();
    const order = [main, ...cameras.filter((camera) => camera !== main)];
    lanes = labels.map((label, i) => laneView(label, order, labels.length > 1 ? "AB"[i] : null));
    host.replaceChildren(...lanes.map(({ node }) => node));
    host.dataset.count = String(labels.length);
    show(0);
  }

  function scene(pictures) {
    for (const url of Object.values(start)) URL.revokeObjectURL(url);
    start = Object.fromEntries(Object.entries(pictures).map(([camera, picture]) => [camera, addressOf(picture)]));
  }

  function show(t) {
    for (const { images, film, caption } of lanes) {
      for (const [camera, image] of images) {
        const url = film.pictureAt(camera, t) ?? start[camera];
        if (url && image.getAttribute("src") !== url) image.src = url;
      }
      const { state, done } = film.stateAt(t);
      write(caption, state);
      caption.classList.toggle("done", done);
    }
  }

  return { load, scene, show, add: (frame) => lanes[frame.lane].film.add(frame) };
}

function laneView(label, cameras, letter) {
  const image = (camera) => make("img", { alt: `${camera} camera, ${label}`, width: 640, height: 480, draggable: "false" });
  const images = new Map(cameras.map((camera) => [camera, image(camera)]));
  const caption = make("p", { class: "caption" });
  const figures = [...images].map(([camera, node]) => make("figure", {}, node, make("figcaption", {}, camera)));
  if (letter) figures[0].append(make("b", { class: "letter", "aria-hidden": "true" }, letter));
  figures[0].append(caption);
  const node = make("div", { class: "views", role: "group", "aria-label": `Cameras, ${label}` }, ...figures);
  return { node, images, caption, film: new Film() };
}

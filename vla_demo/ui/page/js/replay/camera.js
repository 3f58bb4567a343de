// One camera's video: it leads the clock, follows it, or shows a frame.

import { make, served } from "../shared/dom.js";

const DRIFT = 0.1; // s; above this a camera that lags is sought to the master's time

/** @param {{ name: string, url: string }} camera @param {() => void} onBlocked */
export function createCamera({ name, url }, onBlocked) {
  const video = make("video", { preload: "auto", playsinline: true, "aria-label": `${name} camera` });
  let begin = 0; // s: where the episode begins in the file
  let fps = 30;
  let asked = 0; // s: what is to be seen while it stands still
  let still = true;

  function show(t) {
    asked = t;
    const aim = begin + t + 0.5 / fps; // the middle of the frame: no rounding can land on its neighbor
    if (!video.seeking && Math.abs(video.currentTime - aim) > 0.4 / fps) video.currentTime = aim;
  }

  function play() {
    still = false;
    video.play().catch((reason) => {
      if (reason.name === "NotAllowedError") onBlocked();
    });
  }

  video.muted = true;
  video.src = served(url);
  video.addEventListener("seeked", () => {
    if (still) show(asked);
  });
  return {
    url,
    node: make("figure", {}, video, make("figcaption", {}, name)),
    show,
    ready: () => Boolean(video.error) || video.readyState >= 3,
    usable: () => !video.error && video.readyState >= 2,
    load(start, rate) {
      begin = start;
      fps = rate;
    },
    pause(t) {
      still = true;
      asked = t;
      video.pause();
    },
    /** The clock's new time, told by this video. */
    lead(t, duration) {
      if (video.seeking) return t;
      if (video.ended) return duration;
      if (video.paused) play();
      const time = video.currentTime - begin;
      if (Math.abs(time - t) <= 0.5) return Math.max(t, time);
      video.currentTime = begin + t;
      return t;
    },
    follow(t) {
      if (video.paused && !video.ended) play();
      if (!video.seeking && Math.abs(video.currentTime - begin - t) > DRIFT) video.currentTime = begin + t;
    },
  };
}

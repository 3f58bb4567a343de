// The clock of the page: it drives the camera videos and tells everyone else what time it is. The first video that plays is the master;
// without one a timer is. It knows nothing of traces, policies or the server.

import { make } from "../shared/dom.js";

export function createPlayer(host, onTime, onPlaying) {
  const DRIFT = 0.1; // s; above this a camera that lags is sought to the master's time
  const PATIENCE = 2500; // ms to wait for all cameras before playing without the slow one
  let videos = [];
  let fps = 30;
  let duration = 0;
  let t = 0;
  let playing = false;
  let frontier = Infinity; // s; while a run goes on the clock waits here for the traces
  let last = 0;
  let waitingSince = 0;

  function load(recording) {
    fps = recording.fps;
    duration = (recording.frames - 1) / fps;
    const old = new Map(videos.map((video) => [video.dataset.url, video.closest("figure")]));
    const figures = recording.cameras.map((camera) => old.get(camera.url) ?? figure(camera));
    host.replaceChildren(...figures);
    videos = figures.map((one) => one.querySelector("video"));
    recording.cameras.forEach((camera, i) => { videos[i].dataset.start = camera.start; });
    host.dataset.count = videos.length;
    seek(0);
  }

  function figure(camera) {
    const root = window.gradio_config?.root ?? "";
    const video = make("video", { "data-url": camera.url, preload: "auto", playsinline: true, "aria-label": `${camera.name} camera` });
    video.muted = true;
    video.src = `${root}/${camera.url}`;
    video.addEventListener("seeked", () => { if (!playing) show(video); });
    return make("figure", {}, video, make("figcaption", {}, camera.name));
  }

  const target = (video) => Number(video.dataset.start) + t;
  const ready = (video) => video.error || video.readyState >= 3;
  const usable = (video) => !video.error && video.readyState >= 2;
  const snap = (time) => Math.round(time * fps) / fps;
  const end = () => Math.min(duration, frontier);

  function show(video) {
    const aim = target(video) + 0.5 / fps; // the middle of the frame: no rounding can land on its neighbor
    if (!video.seeking && Math.abs(video.currentTime - aim) > 0.4 / fps) video.currentTime = aim;
  }

  function seek(time) {
    t = Math.min(Math.max(snap(time), 0), duration);
    videos.forEach(show);
    waitingSince = performance.now();
    onTime(t);
  }

  function setPlaying(value) {
    if (playing === value) return;
    playing = value;
    waitingSince = last = performance.now();
    if (!playing) {
      videos.forEach((video) => video.pause());
      seek(t);
    } else if (t >= duration - 0.5 / fps) {
      seek(0);
    }
    onPlaying(playing);
    if (playing) requestAnimationFrame(tick);
  }

  function tick(now) {
    if (!playing || !host.isConnected) return;
    const step = Math.min((now - last) / 1000, 0.1);
    last = now;
    if (t >= end()) rest();
    else if (videos.every(ready) || now - waitingSince > PATIENCE) advance(step);
    requestAnimationFrame(tick);
  }

  function rest() {
    if (t >= duration) return seek(0); // loop
    videos.forEach((video) => video.pause());
  }

  function advance(step) {
    const master = videos.find(usable);
    if (master) follow(master);
    else t += step;
    t = Math.min(t, end());
    videos.filter((video) => video !== master && usable(video)).forEach((video) => keepUp(video));
    onTime(t);
  }

  function follow(master) {
    if (master.seeking) return;
    if (master.ended) { t = duration; return; }
    if (master.paused) start(master);
    const time = master.currentTime - Number(master.dataset.start);
    if (time < t - 0.5 || time > t + 0.5) master.currentTime = target(master);
    else t = Math.max(t, time);
  }

  function keepUp(video) {
    if (video.paused && !video.ended) start(video);
    if (!video.seeking && Math.abs(video.currentTime - target(video)) > DRIFT) video.currentTime = target(video);
  }

  function start(video) {
    video.play().catch((reason) => {
      if (reason.name === "NotAllowedError") setPlaying(false); // the browser forbids autoplay: show the play button instead
    });
  }

  return {
    load,
    seek,
    play: () => setPlaying(true),
    pause: () => setPlaying(false),
    toggle: () => setPlaying(!playing),
    step: (frames) => { setPlaying(false); seek(t + frames / fps); },
    waitAt: (time) => { frontier = time; },
    time: () => t,
    duration: () => duration,
    playing: () => playing,
  };
}

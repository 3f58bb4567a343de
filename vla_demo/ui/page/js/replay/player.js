// The clock of Replay: it drives the camera videos and tells everyone else what time it is. The first video that plays is the master; without
// one a timer is. It knows nothing of traces, policies or the server.

import { createBeat } from "../shared/clock.js";
import { createCamera } from "./camera.js";

/** @import { ClockListener } from "../shared/elements" */
/** @import { Recording } from "./messages" */

const PATIENCE = 2500; // ms to wait for all cameras before playing without the slow one

export class Player {
  time = 0;
  duration = 0;
  playing = false;
  frontier = Infinity; // s; while a run goes on the clock waits here for the traces
  #cameras = /** @type {ReturnType<typeof createCamera>[]} */ ([]);
  #fps = 30;
  #waitingSince = 0;
  #host;
  #listener;
  #beat;

  /** @param {HTMLElement} host @param {ClockListener} listener */
  constructor(host, listener) {
    this.#host = host;
    this.#listener = listener;
    this.#beat = createBeat(host, (step, now) => {
      if (this.time >= Math.min(this.duration, this.frontier)) this.#rest();
      else if (this.#cameras.every((camera) => camera.ready()) || now - this.#waitingSince > PATIENCE) this.#advance(step);
    });
  }

  /** @param {Recording} recording */
  load({ fps, frames, cameras }) {
    this.#fps = fps;
    this.duration = (frames - 1) / fps;
    const old = new Map(this.#cameras.map((camera) => [camera.url, camera]));
    const blocked = () => this.pause(); // the browser forbids autoplay: show the play button instead
    this.#cameras = cameras.map((camera) => old.get(camera.url) ?? createCamera(camera, blocked));
    cameras.forEach((camera, i) => this.#cameras[i].load(camera.start, fps));
    this.#host.replaceChildren(...this.#cameras.map(({ node }) => node));
    this.#host.dataset.count = String(cameras.length);
    this.seek(0);
  }

  /** @param {number} time */
  seek(time) {
    this.time = Math.min(Math.max(Math.round(time * this.#fps) / this.#fps, 0), this.duration);
    for (const camera of this.#cameras) camera.show(this.time);
    this.#waitingSince = performance.now();
    this.#listener.onTime(this.time);
  }

  #setPlaying(playing) {
    if (this.playing === playing) return;
    this.playing = playing;
    this.#waitingSince = performance.now();
    if (playing) {
      if (this.time >= this.duration - 0.5 / this.#fps) this.seek(0);
      this.#beat.start();
    } else {
      this.#beat.stop();
      this.#pauseCameras();
      this.seek(this.time);
    }
    this.#listener.onPlaying(playing);
  }

  #pauseCameras() {
    for (const camera of this.#cameras) camera.pause(this.time);
  }

  #rest() {
    if (this.time >= this.duration)
      this.seek(0); // loop
    else this.#pauseCameras();
  }

  #advance(step) {
    const master = this.#cameras.find((camera) => camera.usable());
    const next = master ? master.lead(this.time, this.duration) : this.time + step;
    this.time = Math.min(next, this.duration, this.frontier);
    for (const camera of this.#cameras) if (camera !== master && camera.usable()) camera.follow(this.time);
    this.#listener.onTime(this.time);
  }

  play() {
    this.#setPlaying(true);
  }

  pause() {
    this.#setPlaying(false);
  }

  toggle() {
    this.#setPlaying(!this.playing);
  }

  /** @param {number} time */
  scrub(time) {
    this.pause();
    this.seek(time);
  }

  /** @param {number} frames */
  step(frames) {
    this.scrub(this.time + frames / this.#fps);
  }
}

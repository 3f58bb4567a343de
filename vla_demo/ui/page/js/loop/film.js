// What the twin's cameras showed in one lane, kept in the browser: every picture with its time, and what the robot was doing.

/** The address of a JPEG that came as text. @param {string} base64 */
export function addressOf(base64) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  return URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" }));
}

const newestAt = (list, t) => list?.findLast((one) => one.t <= t + 1e-6);

export class Film {
  /** @type {Record<string, { t: number, url: string }[]>} */ #shots = {}; // by camera
  /** @type {{ t: number, state: string, done: boolean }[]} */ #states = [];
  #seen = -1;

  add({ t, state, done, pictures }) {
    if (t <= this.#seen) return; // heard before
    this.#seen = t;
    for (const [camera, picture] of Object.entries(pictures)) {
      this.#shots[camera] ??= [];
      this.#shots[camera].push({ t, url: addressOf(picture) });
    }
    if (this.#states.at(-1)?.state !== state) this.#states.push({ t, state, done });
  }

  forget() {
    for (const { url } of Object.values(this.#shots).flat()) URL.revokeObjectURL(url);
  }

  pictureAt = (camera, t) => newestAt(this.#shots[camera], t)?.url;

  stateAt = (t) => newestAt(this.#states, t) ?? { state: "", done: false };
}

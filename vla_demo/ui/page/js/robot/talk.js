// Direct questions to the server, each with a limit: an app that has ended or hangs answers none of them, and nothing says so by itself.

const PATIENCE = /** @type {Record<string, number>} */ ({ watch: 4000, stop: 3000 }); // ms
const LONGEST = 120000; // ms, for what may take the board a while
const EVERY = 100; // ms between two questions for news
const UNREACHED = "This page does not reach the app. Without it the arm stops by itself within seconds.";

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Answers `{problem}` when there is none. */
export async function question(server, what, parts) {
  let limit = 0;
  const late = new Promise((resolve) => {
    limit = setTimeout(() => resolve({ problem: UNREACHED }), PATIENCE[what] ?? LONGEST);
  });
  try {
    return (await Promise.race([server[what](parts), late])) ?? { problem: UNREACHED };
  } catch {
    return { problem: UNREACHED };
  } finally {
    clearTimeout(limit);
  }
}

/**
 * Asks for the newest again and again while `goesOn()`, one question at a time: nothing can queue, and the questions tell that somebody is
 * here.
 */
export async function follow(goesOn, ask, hear) {
  while (goesOn()) {
    const asked = performance.now();
    const answer = await ask();
    if (!goesOn()) return;
    await hear(answer);
    await pause(Math.max(EVERY - (performance.now() - asked), 10));
  }
}

// Direct questions to the server, each with a limit: an app that has ended or hangs answers none of them, and nothing says so by itself.

const PATIENCE = { watch: 4000, stop: 3000 }; // ms
const LONGEST = 120000; // ms, for what may take the board a while
const UNREACHED = "This page does not reach the app. Without it the arm stops by itself within seconds.";

// Answers `{problem}` when there is none.
export async function question(server, what, parts) {
  let limit;
  const late = new Promise((resolve) => { limit = setTimeout(() => resolve({ problem: UNREACHED }), PATIENCE[what] ?? LONGEST); });
  try {
    return (await Promise.race([server[what](parts), late])) ?? { problem: UNREACHED };
  } catch (error) {
    return { problem: UNREACHED };
  } finally {
    clearTimeout(limit);
  }
}

// The clock of a run: simulated seconds at the pace of real ones. While the run goes on it never overtakes what has arrived, and slows down
// before it would have to stop.

export function createClock(element, onTime, onPlaying) {
  const BEHIND = 0.5; // s; nearer than that to what has arrived it slows down
  let t = 0;
  let end = 0; // of what has arrived
  let going = false; // more is coming
  let playing = false;
  let last = 0;

  function seek(time) {
    t = Math.min(Math.max(time, 0), end);
    onTime(t);
  }

  function setPlaying(value) {
    if (playing === value) return;
    playing = value;
    last = performance.now();
    if (playing && !going && t >= end - 1e-3) seek(0);
    onPlaying(playing);
    if (playing) requestAnimationFrame(tick);
  }

  function tick(now) {
    if (!playing || !element.isConnected) return;
    const pace = going ? Math.min(1, (end - t) / BEHIND) : 1;
    const step = Math.min((now - last) / 1000, 0.1) * pace;
    last = now;
    if (step > 0) seek(t + step);
    if (!going && t >= end) return setPlaying(false);
    requestAnimationFrame(tick);
  }

  return {
    seek,
    play: () => setPlaying(true),
    pause: () => setPlaying(false),
    toggle: () => setPlaying(!playing),
    step: (ticks) => { setPlaying(false); seek(t + ticks / 10); },
    begin: () => { end = 0; going = true; seek(0); },
    reach: (time) => { end = Math.max(end, time); },
    finish: () => { going = false; },
    time: () => t,
    end: () => end,
    playing: () => playing,
  };
}

// What the Replay tab does when it is left and shown again, and when the Trap tab sends a variant here.

let resumes = true; // whether the episode plays on when this tab is shown again

// The dials are turned to the variant, and Run is at hand.
function turnTo({ policy, variant }) {
  stop();
  if (source() === policy && strip.variant()) strip.turn(variant);
  else {
    choosePolicy(policy);
    wanted = { variant };
    forget();
    openPolicy();
  }
  requestAnimationFrame(() => at("run").focus()); // by then this tab is on show
}

function onTab(tab) {
  if (tab !== "replay") {
    if (recording) resumes = player.playing();
    return player.pause();
  }
  if (!recording) return;
  if (resumes && !still() && !parked) player.play();
  onTime(player.time());
  link.update({});
}

function listenForTabs() {
  document.addEventListener("vla-tab", ({ detail }) => onTab(detail));
  document.addEventListener("vla-replay", ({ detail }) => turnTo(detail));
}

// Light and dark: Gradio follows the system, or `?__theme=` in the address; this button overrides both and writes its choice there.

element.querySelector("button").addEventListener("click", () => {
  const dark = document.body.classList.toggle("dark");
  const url = new URL(location.href);
  url.searchParams.set("__theme", dark ? "dark" : "light");
  history.replaceState(history.state, "", url);
});

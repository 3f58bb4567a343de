// What the page is made of, for the type checker.

/** What a part of a template may be: its own kind of element is not told apart. */
export type Part = HTMLElement &
  Pick<HTMLInputElement, "checked" | "disabled" | "max" | "value"> &
  Pick<HTMLSelectElement, "options" | "selectedIndex" | "selectedOptions"> &
  Pick<HTMLDialogElement, "close" | "open" | "showModal"> &
  Pick<HTMLImageElement, "src"> &
  HTMLCanvasElement;
export type Scope = (name: string) => Part;
export type Child = Node | string | null | undefined;

export type ClockListener = { onTime: (t: number) => void; onPlaying: (playing: boolean) => void };
/** What the bar of playback and the keys drive. Seconds. */
export type Clock = {
  toggle: () => void;
  step: (frames: number) => void;
  scrub: (t: number) => void; // stops and goes there
};

declare global {
  interface Window {
    gradio_config?: { root?: string };
  }
  interface DocumentEventMap {
    "vla-tab": CustomEvent<string>; // which tab is on show now
    "vla-replay": CustomEvent<{ policy: string; variant: string }>; // a variant that Replay is to open
  }
}

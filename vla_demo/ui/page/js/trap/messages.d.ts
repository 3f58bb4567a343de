// What the server says to the Trap tab, as `vla_demo/ui/trap/figures.py` and its handlers send it.

import type { Failed, Hear, Offered, Progress } from "../shared/messages";
import type { Layout, Plot } from "../shared/plotly";

/** A variant, or just why it could not be measured. */
export type Cell = { said: string; variant?: string; number?: string; interval?: string; n?: number; share?: number };
export type Row = { label: string; operands: string; cells: (Cell | null)[]; refused: string | null };
export type Tick = { at: number; label: string };
export type HeatMapData = { columns: string[]; rows: Row[]; key: Tick[] };
export type View = { label: string; readings: string[]; plot: Plot; more?: { plot: Plot; show: string; hide: string } };
export type Claim = { says: string; source: string; link: string; verdict: string; here: string };
export type Value = string | number | null;
export type Table = { columns: string[]; rows: Value[][] };
/** `views` are what is drawn, and what is taken along as a picture; a heat map and a sheet are shown as tables instead. */
export type FigureData = {
  name: string;
  title: string;
  caption: string;
  views: View[];
  heatmap?: HeatMapData;
  sheet?: { head: string[]; rows: string[][] };
  published: Claim[];
  table: Table;
};
/** Whose figure it is, what is said of all of them, and what a click on a variant does. */
export type Context = { policy: string; label: string; about: string; template: Layout; open: (variant: string) => void };

export type TrapMessages = {
  policies: Hear<Offered & { chosen: string }>;
  report: Hear<{ source: string; about: string; figures: FigureData[]; template: Layout }>;
  nothing: Hear<{ source: string; words: string }>;
  progress: Hear<Progress>;
  failed: Hear<Failed>;
};

// What the server says to the Closed loop tab, as its messages and handlers send it.

import type { Answer, Failed, Hear, Mode, Offered, Option, Pictures, Progress, Strip } from "../shared/messages";

export type Trace = { from: number; depth: number[]; starved: number[]; asked: number[]; arrived: number[][] };
export type Frame = Trace & { lane: number; t: number; state: string; done: boolean; pictures: Pictures };
export type Source = { ms: number; about: string };
export type PublishedLatency = Source & { label: string; family: string };
export type BoardLatency = Source & { label: string; board: string; variant: string };
export type Predicted = Source & { low: number; high: number };
export type LaneSetting = { mode: string; variant: string };
export type LoopView = {
  policy: string;
  lanes: LaneSetting[];
  start: number;
  fps: number;
  threshold: number;
  latency: number;
  board: string;
  seed: number;
  open: boolean;
};
export type LoopSetting = Offered & {
  starts: Option[];
  rates: Option[];
  thresholds: Option[];
  marks: PublishedLatency[];
  main: string;
  view: LoopView | null;
};
export type LoopPolicy = { family: string; strips: Strip[]; modes: Mode[]; actions: Record<string, number> };
export type LaneReport = {
  lane: number;
  success: boolean;
  headline: string;
  rows: { label: string; value: string; about: string; note: string }[];
  trace: Trace;
};
export type Expected = Trace & { idle: number; text: string };
export type Rule = { name: string; asks: string; holds: boolean; margin: string; fps: string };
export type Verdict = Answer<{
  lead: string;
  rules: Rule[];
  reading: string;
  lanes: Expected[];
  predicted: (Predicted | null)[];
  boards: BoardLatency[];
}>;
export type LoopMessages = {
  setting: Hear<LoopSetting>;
  scene: Hear<{ start: number; pictures: Pictures }>;
  sketch: Hear<LoopPolicy>;
  policy: Hear<LoopPolicy>;
  progress: Hear<Progress>;
  timed: Hear<Source>;
  frames: Hear<{ frames: Frame[] }>;
  report: Hear<{ lanes: LaneReport[]; how: string; frames: Frame[] }>;
  failed: Hear<Failed>;
};

// Closed loop: the batch
export type Share = { successes: number; n: number; low: number; high: number };
export type FailedStart = { start: number; label: string; about: string };
type Tried = Share & { policy: string; variant: string; stages: string; mode: string; latency: string; kind: string; source: string };
export type BatchRow = Tried & {
  id: string;
  fps: string;
  splits: { test: string; validation: string };
  idle: string;
  jerk: string;
  jump: string;
  time: string;
  failed: FailedStart[];
  shipped: boolean;
};
export type JudgedRow = Tried & { board: string };
export type ArticleRow = {
  policy: string;
  format: string;
  latency: string;
  slip: string;
  test: string | null;
  validation: string | null;
  overall: string | null;
  successes: number | null;
} & Partial<Share>;
export type ArticleTable = { title: string; link: string; rows: ArticleRow[]; notes: string[] };
export type BatchProgress = Progress & { lane?: number; lanes?: number; done?: number; of?: number; successes?: number };
export type BatchMessages = {
  batch: Hear<{ rows: BatchRow[]; judged: JudgedRow[]; article: ArticleTable; intro: string; how: string }>;
  batch_progress: Hear<BatchProgress>;
  batch_row: Hear<{ row: BatchRow }>;
  batch_done: Hear;
  batch_failed: Hear<Failed>;
  pair: Hear<{ first: string; second: string; sentence: string }>;
};
export type FilmMessages = { film_progress: Hear<Progress>; film: Hear<{ url: string }>; batch_failed: Hear<Failed> };

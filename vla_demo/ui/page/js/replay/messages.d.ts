// What the server says to Replay, as its messages and handlers send it.

import type { Failed, Hear, Joint, MeasuredStages, Offered, Progress, Strip } from "../shared/messages";

export type Section = { title: string; value: string; aside: string; notes: string[]; tone?: string };
export type Recording = {
  index: number;
  fps: number;
  frames: number;
  joints: Joint[];
  actions: number[][];
  cameras: { name: string; url: string; start: number }[];
  words: Section[];
};
export type ReplayView = {
  policy: string;
  variant: string | null;
  episode: number;
  seed: number;
  t: number | null;
  run: boolean;
  open: boolean;
};
export type Steps = { start: number; predicted: number[][]; reference: number[][]; chunks: number[] };
export type ReplayReport = MeasuredStages & {
  steps: Steps;
  vsRecorded: number[];
  vsReference: number[] | null;
  words: Section[];
  how: string;
};
export type ReplayMessages = {
  view: Hear<Offered & { view: ReplayView; episodes: { index: number; label: string }[]; recording: Recording }>;
  episode: Hear<{ recording: Recording }>;
  sketch: Hear<{ policy: Strip }>;
  policy: Hear<{ policy: Strip }>;
  progress: Hear<Progress>;
  steps: Hear<Steps & { words: Section[] }>;
  report: Hear<ReplayReport>;
  failed: Hear<Failed>;
};

// What the server says to the Robot tab, as its messages and handlers send it.

import type { Failed, Hear, Joint, Mode, Offered, Option, Pictures, Progress, Strip } from "../shared/messages";

export type Connected = { key: string; simulated: boolean; greeting: string; joints: Joint[]; cameras: string[] };
export type Ticks = { number: number; at: number[]; commanded: number[][]; measured: number[][]; queue: number[]; starved: number[] };
export type News = {
  state: string;
  reason: string;
  moving: boolean;
  mine: boolean;
  holder: string;
  judge: { said: boolean | null } | null;
  loaded: boolean;
  chunk: number;
  cells: { name: string; value: string; about: string }[];
  roundTrip: number; // ms
  ticks: Ticks;
  pictures: Pictures;
  seen: number;
};
export type Fact = { name: string; text: string; ok: boolean };
export type Checks = { facts: Fact[]; ok: boolean };
export type JudgedRate = {
  board: string;
  policy: string;
  count: string;
  interval: string;
  inference: string;
  loop: Record<string, string> | null;
};
export type Rates = { rows: JudgedRate[]; how: string };
export type EpisodeRow = {
  id: string;
  at: number;
  length: string;
  frames: string;
  whole: string;
  complete: boolean;
  judged: string;
  policy: string;
  ended: string;
  size: string;
};
export type EpisodeList = { on: boolean; closing: boolean; where: string; why: string; rows: EpisodeRow[] };
export type Downloaded = { text: string; archive: string; name: string; command: string };
export type ChoiceMessage = { policy: Strip; modes: Mode[]; reads: boolean };
export type RobotSetting = Offered & { starts: Option[]; hosted: boolean; about: string };
export type RobotMessages = {
  setting: Hear<RobotSetting>;
  progress: Hear<Progress>;
  connected: Hear<Connected>;
  loaded: Hear;
  downloaded: Hear<Downloaded>;
  failed: Hear<Failed>;
};
export type ChoiceMessages = { progress: Hear<Progress>; choice: Hear<ChoiceMessage>; failed: Hear<Failed> };

// What the server says to the page, as `vla_demo/ui/*/messages.py` and the handlers send it. Times in ms where the name says so, else in seconds.

/** What Gradio hands to a component. */
export type View = {
  element: HTMLElement;
  props: { value?: string };
  trigger: (event: string, parts: object) => void;
  watch: (prop: string, onChange: () => void) => void;
  server: Record<string, (parts: object) => Promise<any>>;
};
export type Message = { kind: string; number: number; run?: string | null };
export type Hear<Content = object> = (message: Content & { run?: string | null }) => void;
export type Receive = Record<string, Hear<any>>;
/** Of a question that is asked directly: what was asked for, or the problem. */
export type Answer<Found> = Found & { problem?: string; code?: string };

export type Option = { value: string | number; label: string };
export type PolicyOption = { id: string; label: string };
export type Offered = { policies: PolicyOption[]; missing: string[] }; // sentences
export type Progress = { text: string; fraction: number | null };
export type Failed = { what: string; why?: string };

// The strip of stages, in every tab
export type PrecisionOption = { value: string; label: string; default: boolean; operands: string | null; about: string | null };
export type Precision = {
  scheme: string;
  label: string;
  operands: string;
  about: string;
  groups: { label: string; options: PrecisionOption[] }[];
};
export type Stage = {
  role: string;
  label: string;
  about: string;
  precisions: Precision[];
  choice: string;
  bytes: number | null;
  steps: { choice: number; most: number } | null;
};
export type Strip = {
  stages: Stage[];
  takesNoise: boolean;
  reference: string;
  chunk: { actions: number; seconds: number; about: string };
};
export type MeasuredStage = { bytes: number; ms: number; speed: number | null; proof: [string, string][] };
export type MeasuredStages = { stages: Record<string, MeasuredStage>; total: number; source: string };
export type MeasuredRun = MeasuredStages & { choices: Record<string, string>; steps: number };
export type Mode = { mode: string; label: string; about: string; problem: string };
export type Joint = { name: string; label?: string; unit: string };
export type Pictures = Record<string, string>; // camera -> JPEG in base64

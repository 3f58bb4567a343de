// What the server says to the Trap tab, as its messages and handlers send it.

import type { Failed, Hear, PolicyOption, Progress } from "../shared/messages";

export type TrapMessages = {
  policies: Hear<{ policies: PolicyOption[]; chosen: string }>;
  report: Hear<{ source: string; about: string; figures: any[]; template: any }>;
  nothing: Hear<{ source: string; words: string }>;
  progress: Hear<Progress>;
  failed: Hear<Failed>;
};

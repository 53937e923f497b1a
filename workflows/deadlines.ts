/** How long each wait may last: as planned, or longer where an operator said so. */
import type { Wait } from './story.ts';

export interface Deadlines {
  /** The later of what is planned and what was extended. */
  of(wait: Wait, plannedAtMs: number): number;
  extend(wait: Wait, untilMs: number): void;
}

export function openDeadlines(): Deadlines {
  const extended = new Map<Wait, number>();
  return {
    of: (wait, plannedAtMs) => Math.max(plannedAtMs, extended.get(wait) ?? 0),
    extend: (wait, untilMs) => {
      extended.set(wait, untilMs);
    },
  };
}

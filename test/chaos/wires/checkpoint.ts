/**
 * Where every request of one process passes. A point is addressed by what is asked and for the how-manieth time, not
 * by a bare number: what runs side by side may come in another order the next time.
 */

/** `before`: the request has not been forwarded. `unanswered`: its effect is there, the answer is held back. */
export const moments = ['before', 'unanswered', 'answered'] as const;
export type Moment = (typeof moments)[number];

export interface Point {
  readonly label: string;
  /** From 1 on. */
  readonly occurrence: number;
}

/** What becomes of the request: on its way, or lost together with its connection. */
export type Fate = 'pass' | 'lose';

export interface Trap extends Point {
  readonly moment: Moment;
  /** Makes the fault; the request stands still meanwhile. */
  readonly strike: () => Promise<Fate>;
}

/** One request on its way; the wires call these in order. */
export interface Passage {
  reach(moment: Moment): Promise<Fate>;
}

export interface Checkpoint {
  enter(label: string): Passage;
  /** Counts anew from here on; everything that passes is recorded. */
  record(): void;
  recorded(): readonly Point[];
  /** The next request that fits meets it, once. */
  set(trap: Trap): void;
  disarm(): void;
  /** When the first request after `instant` came, in epoch milliseconds. */
  firstAfter(instant: number): number | undefined;
}

export function createCheckpoint(): Checkpoint {
  let points: (Point & { readonly atMs: number })[] = [];
  let counts = new Map<string, number>();
  let trap: Trap | undefined;
  return {
    enter(label) {
      const occurrence = (counts.get(label) ?? 0) + 1;
      counts.set(label, occurrence);
      points.push({ label, occurrence, atMs: Date.now() });
      return {
        async reach(moment) {
          const set = trap;
          if (set?.label !== label || set.occurrence !== occurrence) return 'pass';
          if (set.moment !== moment) return 'pass';
          trap = undefined;
          return await set.strike();
        },
      };
    },
    record() {
      points = [];
      counts = new Map();
    },
    recorded: () => points.map(({ label, occurrence }) => ({ label, occurrence })),
    set(next) {
      trap = next;
    },
    disarm() {
      trap = undefined;
    },
    firstAfter: (instant) => points.find(({ atMs }) => atMs > instant)?.atMs,
  };
}

export function nameOf({ label, occurrence }: Point): string {
  return occurrence === 1 ? label : `${label} (${occurrence})`;
}

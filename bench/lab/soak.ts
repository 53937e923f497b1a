/** `npm run lab -- soak`: Intake alone for a long time, one document of a hundred in trouble, its memory watched. */
import { memoryOf } from '../memory.ts';
import { plansFor, runPhase } from './experiment.ts';
import { type Laboratory, openLaboratory } from './laboratory.ts';
import type { SideFigures } from './measure.ts';
import { describeFigures } from './report.ts';
import { percentile } from './statistics.ts';

export interface SoakOptions {
  readonly seed: string;
  readonly documents: number;
  readonly paceMs: number;
  readonly say: (words: string) => void;
}

export interface SoakResult {
  readonly seed: string;
  readonly documents: number;
  readonly seconds: number;
  readonly figures: SideFigures;
  readonly memory: readonly ProcessMemory[];
}

export interface ProcessMemory {
  readonly name: string;
  /** Median of each fifth of the time. */
  readonly megabytes: readonly number[];
  /** The last fifth against the second; the first one warms up. */
  readonly growth: number;
}

const FAULT_SHARE = 0.01;
const UPLOAD_LIFETIME_SECONDS = 90;
const QUIET_MS = 300_000;
const LOOK_MS = 2_000;
const FIFTHS = 5;
const watched = ['api', 'worker', 'worker-2'] as const;

export async function runSoak({ seed, documents, paceMs, say }: SoakOptions): Promise<SoakResult> {
  say('starting Intake’s stack');
  const laboratory = await openLaboratory({
    sides: ['intake'],
    uploadLifetimeSeconds: UPLOAD_LIFETIME_SECONDS,
    controlPollMs: 0,
  });
  const startedAt = performance.now();
  const watch = watchMemory(laboratory);
  try {
    const plans = plansFor(documents, { seed, side: 'intake', faultShare: FAULT_SHARE });
    const {
      sides: [figures],
    } = await runPhase(laboratory, {
      plans: new Map([['intake', plans]]),
      ...{ paceMs, weather: [], killEveryMs: undefined, quietMs: QUIET_MS, say },
    });
    if (figures === undefined) throw new Error('Intake was not measured');
    const seconds = (performance.now() - startedAt) / 1_000;
    return { seed, documents, seconds, figures, memory: watch.stop() };
  } finally {
    watch.stop();
    await laboratory.close();
  }
}

function watchMemory({ programs }: Laboratory): { stop(): readonly ProcessMemory[] } {
  const samples = new Map<string, number[]>(watched.map((name) => [name, []]));
  const timer = setInterval(() => {
    for (const [name, seen] of samples) {
      void memoryOf(programs.pidOf(name), 'VmRSS').then((megabytes) => seen.push(megabytes));
    }
  }, LOOK_MS);
  return {
    stop() {
      clearInterval(timer);
      return [...samples].map(([name, seen]) => summarise(name, seen));
    },
  };
}

function summarise(name: string, seen: readonly number[]): ProcessMemory {
  const width = seen.length / FIFTHS;
  const megabytes = Array.from(
    { length: FIFTHS },
    (_, fifth) => percentile(seen.slice(fifth * width, (fifth + 1) * width), 0.5) ?? 0,
  );
  return { name, megabytes, growth: (megabytes.at(-1) ?? 0) / (megabytes[1] ?? 0) };
}

/** Lost, doubled or stuck: none may be. */
export function soakFailed({ figures }: SoakResult): boolean {
  const { recoverable, searchable, doubled, stuck, unrecoverableWrong } = figures;
  return searchable < recoverable || doubled + stuck + unrecoverableWrong > 0;
}

export function describeSoak(result: SoakResult): string {
  const { seed, documents, seconds, figures, memory } = result;
  return [
    `Seed ${seed}, ${documents} documents in ${Math.round(seconds)} s, one of a hundred in trouble:`,
    describeFigures(figures),
    '',
    'Resident memory in MB, median of each fifth of the time, and the last against the second:',
    ...memory.map(
      ({ name, megabytes, growth }) =>
        `  ${name.padEnd(10)}${megabytes.map((size) => `${size}`.padStart(6)).join('')}   ${growth.toFixed(2)}x`,
    ),
  ].join('\n');
}

/** The whole comparison: a calm phase and a faulty one, every side in the same weather at the same time. */
import type { RecordedCall } from '../../src/dev/fault-rules.ts';
import { type Laboratory, openLaboratory } from './laboratory.ts';
import {
  type Comparison,
  compareTimes,
  figuresOf,
  judge,
  type Outcome,
  type SideFigures,
} from './measure.ts';
import { runScript } from './run.ts';
import { type DocumentPlan, planDocument, type ScenarioOptions } from './scenario.ts';
import { type SideName, sideNames } from './side.ts';
import { forecast } from './weather.ts';

export interface ExperimentOptions {
  readonly seed: string;
  /** Recoverable documents that Intake meets; the controls meet a tenth of them. */
  readonly documents: number;
  /** Between two documents at Intake. */
  readonly paceMs: number;
  readonly only: SideName | undefined;
  readonly say: (words: string) => void;
}

export interface PhaseResult {
  readonly sides: readonly SideFigures[];
  /** Intake's time against each control's. */
  readonly timesAgainst: Readonly<Record<string, Comparison>>;
}

export interface LabResult {
  readonly seed: string;
  readonly documents: number;
  readonly paceMs: number;
  readonly calm: PhaseResult;
  readonly faulty: PhaseResult;
}

/** The controls meet every tenth document, at the moment at which Intake meets it. */
const CONTROL_STRIDE = 10;
const CALM_SHARE = 0.04;
/** Longer than any run. */
const WEATHER_MS = 4 * 3_600_000;
const LEAST_CALM = 10;
const CALM_PACE_MS = 500;
const KILL_EVERY_MS = 60_000;
const UPLOAD_LIFETIME_SECONDS = 90;
/** As in the original. */
const CONTROL_POLL_MS = 5_000;
/** The longest way without an end: three reads that hang for half a minute each, tries and an upload's life between them. */
const QUIET_MS = 300_000;
const CALM_QUIET_MS = 15_000;

export async function experiment(options: ExperimentOptions): Promise<LabResult> {
  const { seed, documents, paceMs, only, say } = options;
  const sides = only === undefined ? sideNames : [only];
  say('starting Intake’s stack and the controls');
  const laboratory = await openLaboratory({
    sides,
    uploadLifetimeSeconds: UPLOAD_LIFETIME_SECONDS,
    controlPollMs: CONTROL_POLL_MS,
  });
  try {
    const calmCount = Math.max(LEAST_CALM, Math.round(documents * CALM_SHARE));
    say(`without faults, ${calmCount} documents a side`);
    const calm = await runPhase(laboratory, {
      plans: new Map(
        sides.map((side) => [side, plansFor(calmCount, { seed, side, faultShare: 0 })]),
      ),
      paceMs: CALM_PACE_MS,
      weather: [],
      killEveryMs: undefined,
      quietMs: CALM_QUIET_MS,
      say,
    });
    say(
      `with faults, ${documents} recoverable documents at Intake, a tenth of them at the controls`,
    );
    const faulty = await runPhase(laboratory, {
      plans: new Map(
        sides.map((side) => {
          const stride = side === 'intake' ? 1 : CONTROL_STRIDE;
          const own = { seed, side, faultShare: 1, stride };
          return [side, plansFor(Math.ceil(documents / stride), own)];
        }),
      ),
      paceMs,
      weather: forecast(seed, WEATHER_MS),
      killEveryMs: KILL_EVERY_MS,
      quietMs: QUIET_MS,
      say,
    });
    return { seed, documents, paceMs, calm, faulty };
  } finally {
    await laboratory.close();
  }
}

/** Every so many numbers one, until so many of them can be brought home. */
export function plansFor(
  recoverable: number,
  { stride = 1, ...options }: ScenarioOptions & { readonly stride?: number },
): readonly DocumentPlan[] {
  const plans: DocumentPlan[] = [];
  for (let left = recoverable; left > 0; ) {
    const plan = planDocument(plans.length * stride, options);
    plans.push(plan);
    if (plan.due === 'searchable') left -= 1;
  }
  return plans;
}

/** What the sides' documents met, and what became of each. */
export async function runPhase(
  laboratory: Laboratory,
  plan: Parameters<typeof runScript>[1],
): Promise<PhaseResult> {
  const runs = await runScript(laboratory, plan);
  const calls: readonly RecordedCall[] = (await laboratory.faults.parser.ledger()).calls;
  const outcomes = new Map<SideName, readonly Outcome[]>(
    runs.map((run) => [run.name, judge(run, calls)]),
  );
  const ours = outcomes.get('intake') ?? [];
  return {
    sides: [...outcomes].map(([name, own]) => figuresOf(name, own)),
    timesAgainst: Object.fromEntries(
      [...outcomes]
        .filter(([name]) => name !== 'intake')
        .map(([name, own]) => [name, compareTimes(ours, own)]),
    ),
  };
}

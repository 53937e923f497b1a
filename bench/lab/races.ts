/** `npm run lab -- races [NAME]`: the guide's four races, each made to happen at every side. */
import { openLaboratory } from './laboratory.ts';
import { judge, type Outcome } from './measure.ts';
import { titleOf } from './report.ts';
import { runScript } from './run.ts';
import { type DocumentPlan, planDocument } from './scenario.ts';
import { type SideName, sideNames } from './side.ts';

interface Race {
  readonly name: RaceName;
  /** In the guide's words. */
  readonly title: string;
  readonly make: (plan: DocumentPlan) => Partial<DocumentPlan>;
  readonly isLost: (outcome: Outcome) => boolean;
}

export const raceNames = [
  'status-too-early',
  'read-too-early',
  'job-vanishes',
  'stale-job',
] as const;
export type RaceName = (typeof raceNames)[number];

const notFound = ({ end }: Outcome) => end !== 'searchable';
const reads = ['object.info', 'object.read', 'object.copy'];

const races: readonly Race[] = [
  {
    name: 'status-too-early',
    title: 'Job status update timing: `uploaded` is written, the bytes come 20 s later',
    make: () => ({ bytesLateMs: 20_000 }),
    isLost: notFound,
  },
  {
    name: 'read-too-early',
    title: 'File access timing: the object is stored, and not visible for 15 s',
    make: (plan) => ({
      rules: {
        ...plan.rules,
        storage: reads.map((operation) => ({
          ...{ operation, subject: plan.ownerId, forMs: 15_000 },
          times: 'always' as const,
          effect: { kind: 'named' as const, name: 'hide' },
        })),
      },
    }),
    isLost: notFound,
  },
  {
    name: 'job-vanishes',
    title: 'Database transactions: the document goes while a worker sends it to the parser',
    make: (plan) => ({
      due: 'gone',
      deletedAfterMs: 6_000,
      rules: {
        ...plan.rules,
        parser: [
          {
            ...{ operation: 'file.create', subject: plan.sha256, times: 'always' as const },
            effect: { kind: 'delay' as const, ms: 8_000 },
          },
        ],
      },
    }),
    isLost: ({ paidParses, end }) => paidParses > 0 || end !== 'gone',
  },
  {
    name: 'stale-job',
    title:
      'Stale job: two workers wait for the same file, and each goes on with its copy of the job',
    make: () => ({ bytesLateMs: 6_500 }),
    isLost: (outcome) => outcome.paidParses > 1 || notFound(outcome),
  },
];

export interface RaceResult {
  readonly name: RaceName;
  readonly title: string;
  readonly sides: Readonly<Partial<Record<SideName, SideResult>>>;
}

export interface SideResult {
  readonly documents: number;
  readonly lost: number;
  /** What became of the first that was lost, or of the first. */
  readonly example: string;
}

const DOCUMENTS = 4;
const UPLOAD_LIFETIME_SECONDS = 40;
const QUIET_MS = 45_000;
const PACE_MS = 250;

export async function runRaces(
  only: RaceName | undefined,
  say: (words: string) => void,
): Promise<readonly RaceResult[]> {
  const chosen = races.filter(({ name }) => only === undefined || name === only);
  say('starting Intake’s stack and the controls');
  const laboratory = await openLaboratory({
    sides: sideNames,
    uploadLifetimeSeconds: UPLOAD_LIFETIME_SECONDS,
    controlPollMs: 5_000,
  });
  try {
    say(`${DOCUMENTS} documents a race and side`);
    const plans = new Map(sideNames.map((side) => [side, plansFor(chosen, side)]));
    const runs = await runScript(laboratory, {
      ...{ plans, paceMs: PACE_MS, weather: [], killEveryMs: undefined, quietMs: QUIET_MS, say },
    });
    const { calls } = await laboratory.faults.parser.ledger();
    const outcomes = new Map(runs.map((run) => [run.name, judge(run, calls)]));
    return chosen.map((race) => ({
      name: race.name,
      title: race.title,
      sides: Object.fromEntries(
        [...outcomes].map(([side, own]) => [
          side,
          resultOf(
            race,
            own.filter(({ plan }) => plan.faults.includes(race.name)),
          ),
        ]),
      ),
    }));
  } finally {
    await laboratory.close();
  }
}

function plansFor(chosen: readonly Race[], side: SideName): readonly DocumentPlan[] {
  return chosen.flatMap((race, place) =>
    Array.from({ length: DOCUMENTS }, (_, index) => {
      const number = place * DOCUMENTS + index;
      const plan = planDocument(number, { seed: race.name, side, faultShare: 0 });
      return { ...plan, ...race.make(plan), faults: [race.name] };
    }),
  );
}

function resultOf({ isLost }: Race, outcomes: readonly Outcome[]): SideResult {
  const lost = outcomes.filter(isLost);
  const [shown] = [...lost, ...outcomes];
  return {
    documents: outcomes.length,
    lost: lost.length,
    example: shown === undefined ? '' : inWords(shown),
  };
}

function inWords({
  end,
  code,
  status,
  paidParses,
  searchableAfterMs,
  toldNotAccessible,
}: Outcome): string {
  const paid = `${paidParses} paid parse${paidParses === 1 ? '' : 's'}`;
  if (searchableAfterMs !== undefined) {
    return `searchable after ${(searchableAfterMs / 1_000).toFixed(1)} s, ${paid}`;
  }
  if (toldNotAccessible) return 'told ‘not accessible, upload again’';
  if (end === 'gone') return `gone, ${paid}`;
  return `${end === 'open' ? 'stuck' : end} (${code ?? status}), ${paid}`;
}

export function describeRaces(results: readonly RaceResult[]): string {
  return results
    .flatMap(({ name, title, sides }) => [
      `${name}: ${title}`,
      ...Object.entries(sides).map(([side, { lost, documents, example }]) => {
        const verdict = lost === 0 ? 'won' : `lost ${lost} of ${documents}`;
        return `  ${titleOf(side as SideName).padEnd(24)}${verdict.padEnd(14)}${example}`;
      }),
      '',
    ])
    .join('\n')
    .trimEnd();
}

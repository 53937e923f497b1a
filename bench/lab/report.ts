/** Tables for people. */
import type { LabResult, PhaseResult } from './experiment.ts';
import type { SideFigures } from './measure.ts';

const titles: Readonly<Record<SideFigures['name'], string>> = {
  control: 'as it was',
  'fixed-control': 'with the guide’s fixes',
  intake: 'Intake',
};

export function titleOf(name: SideFigures['name']): string {
  return titles[name];
}

interface Row {
  readonly name: string;
  readonly cell: (figures: SideFigures) => string;
  readonly target?: string;
}

const faultyRows: readonly Row[] = [
  { name: 'recoverable documents', cell: ({ recoverable }) => `${recoverable}` },
  {
    name: "told 'not accessible'",
    cell: share(({ notAccessible }) => notAccessible),
    target: '99% fewer',
  },
  { name: 'falsely blamed', cell: share(({ falselyBlamed }) => falselyBlamed), target: '0' },
  { name: 'failed otherwise', cell: share(({ failedOtherwise }) => failedOtherwise), target: '0' },
  { name: 'stuck', cell: ({ stuck }) => `${stuck}`, target: '0' },
  { name: 'doubled effects', cell: share(({ doubled }) => doubled), target: '0' },
  {
    name: 'success',
    cell: ({ searchable, recoverable }) => percent(searchable / recoverable),
    target: '> 99.9%',
  },
  {
    name: '  95% confidence',
    cell: ({ success }) => `${percent(success.low)} to ${percent(success.high)}`,
  },
  {
    name: 'others that ended wrongly',
    cell: ({ unrecoverableWrong, unrecoverable }) => `${unrecoverableWrong} of ${unrecoverable}`,
    target: '0',
  },
  { name: 'searchable after, p50, s', cell: ({ p50Ms }) => seconds(p50Ms) },
  { name: 'searchable after, p99, s', cell: ({ p99Ms }) => seconds(p99Ms) },
];

const calmRows = faultyRows.filter(({ name }) =>
  /^(recoverable|success|searchable after)/.test(name),
);

export function describe(result: LabResult): string {
  return [
    `Seed ${result.seed}, a document every ${result.paceMs} ms. With faults:`,
    table(result.faulty, faultyRows),
    '',
    'Without faults:',
    table(result.calm, calmRows),
    '',
    ...times(result),
    ...surprises(result.faulty),
  ].join('\n');
}

export function describeFigures(figures: SideFigures): string {
  return table({ sides: [figures], timesAgainst: {} }, faultyRows);
}

function table({ sides }: PhaseResult, rows: readonly Row[]): string {
  const cells = [
    ['', ...sides.map(({ name }) => titles[name]), 'target'],
    ...rows.map(({ name, cell, target = '' }) => [name, ...sides.map(cell), target]),
  ];
  const widths = (cells[0] ?? []).map((_, column) =>
    Math.max(...cells.map((line) => line[column]?.length ?? 0)),
  );
  return cells
    .map((line) =>
      line
        .map((cell, column) => {
          const width = widths[column] ?? 0;
          return column === 0 ? cell.padEnd(width) : cell.padStart(width);
        })
        .join('   ')
        .trimEnd(),
    )
    .join('\n');
}

function times({ calm, faulty }: LabResult): readonly string[] {
  return [
    ['without faults', calm],
    ['with faults', faulty],
  ].flatMap(([when, phase]) =>
    typeof phase === 'string' || typeof when !== 'string' || phase === undefined
      ? []
      : Object.entries(phase.timesAgainst).map(
          ([name, { pairs, ratio }]) =>
            `Intake’s time against '${titles[name as SideFigures['name']]}', ${when}, on the ${pairs} documents that both brought home: ${ratio === undefined ? '-' : `${ratio.toFixed(2)}x`} (target: below 1.10x).`,
        ),
  );
}

/** Of each end that was not due. */
const EXAMPLES = 3;

function surprises({ sides }: PhaseResult): readonly string[] {
  return sides.flatMap(({ name, surprises: met }) => {
    const lines = Object.entries(met).toSorted(([, a], [, b]) => b.length - a.length);
    return lines.length === 0
      ? []
      : [
          '',
          `Ends that were not due, ${titles[name]}:`,
          ...lines.flatMap(([end, documents]) => [
            `  ${`${documents.length}`.padStart(5)}  ${end}`,
            ...documents.slice(0, EXAMPLES).map((document) => `           ${document}`),
          ]),
        ];
  });
}

function share(pick: (figures: SideFigures) => number): Row['cell'] {
  return (figures) => {
    const count = pick(figures);
    return count === 0 ? '0' : `${count} (${percent(count / figures.recoverable)})`;
  };
}

export function percent(part: number): string {
  return Number.isNaN(part) ? '-' : `${(part * 100).toFixed(2)}%`;
}

export function seconds(ms: number | undefined): string {
  return ms === undefined ? '-' : (ms / 1_000).toFixed(1);
}

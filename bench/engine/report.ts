/** The figures as a table: Intake, the bare engine, the ratio, and what the design aims at. Nothing is asserted. */
import type { Figures, SideFigures } from './figures.ts';

interface Row {
  readonly label: string;
  readonly figure: keyof SideFigures;
  readonly digits: number;
  readonly target: string;
}

const rows: readonly Row[] = [
  { label: 'announce, p50, ms', figure: 'announceP50Ms', digits: 1, target: '' },
  { label: 'added time, p50, ms', figure: 'addedP50Ms', digits: 1, target: 'at most 1.25x' },
  { label: 'added time, p99, ms', figure: 'addedP99Ms', digits: 1, target: 'at most 3x its p50' },
  { label: 'Node CPU a document, ms', figure: 'nodeCpuMs', digits: 1, target: 'at most 35' },
  { label: 'burst, documents/s', figure: 'burstPerSecond', digits: 1, target: 'at least 0.8x' },
  {
    label: 'burst, Node CPU a document, ms',
    figure: 'burstNodeCpuMs',
    digits: 1,
    target: 'at most 35',
  },
  { label: 'history, events', figure: 'events', digits: 0, target: 'about 40' },
  { label: 'history, bytes', figure: 'historyBytes', digits: 0, target: 'about 20 000' },
];

export function tableOf(figures: Figures, waiting: number): string {
  const { intake, bare, answers, workerMb } = figures;
  const lines = rows.map(({ label, figure, digits, target }) => [
    label,
    intake[figure].toFixed(digits),
    bare[figure].toFixed(digits),
    `${(intake[figure] / bare[figure]).toFixed(2)}x`,
    target,
  ]);
  const p99OverP50 = `${(intake.addedP99Ms / intake.addedP50Ms).toFixed(1)}x`;
  return [
    ...aligned([['', 'Intake', 'bare', 'ratio', 'target'], ...lines]),
    '',
    `Intake's p99 is ${p99OverP50} its p50.`,
    `Worker: ${workerMb.before.toFixed(0)} MB after the bursts, ${workerMb.after.toFixed(0)} MB when ${waiting} documents more wait (target: less than 50 MB more for 10 000).`,
    `CPU a document in Intake's burst, ms: ${listed(figures.burstCpuMs)}.`,
    `Calls a document: storage ${answers.storage.toFixed(1)}, parser ${answers.parser.toFixed(1)}, embedder ${answers.embedder.toFixed(1)}; their answers took ${answers.ms.toFixed(1)} ms, which are no added time.`,
  ].join('\n');
}

function aligned(lines: readonly (readonly string[])[]): readonly string[] {
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  return lines.map((line) =>
    line
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 0 || column === 4 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('   ')
      .trimEnd(),
  );
}

function listed(figures: Readonly<Record<string, number>>): string {
  return Object.entries(figures)
    .filter(([, value]) => value > 0)
    .map(([name, value]) => `${name} ${value.toFixed(1)}`)
    .join(', ');
}

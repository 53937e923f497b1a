/** Results as a table: a line for each group, and each that went wrong by itself. */
import type { Result } from './cell.ts';

export interface Summary {
  readonly group: string;
  readonly cells: number;
  readonly wrong: number;
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
  readonly maxMs: number | undefined;
  /** Median start of the processes that were killed: it is part of the times. */
  readonly startMs: number | undefined;
}

export function summarize(results: readonly Result[]): readonly Summary[] {
  const groups = [...new Set(results.map(({ group }) => group))];
  return groups.map((group) => {
    const ofGroup = results.filter((result) => result.group === group);
    const times = sorted(ofGroup.flatMap(({ recoveryMs }) => recoveryMs ?? []));
    const starts = sorted(ofGroup.flatMap(({ readyMs }) => readyMs ?? []));
    return {
      group,
      cells: ofGroup.length,
      wrong: ofGroup.filter(({ wrong }) => wrong.length > 0).length,
      p50Ms: quantile(times, 0.5),
      p99Ms: quantile(times, 0.99),
      maxMs: times.at(-1),
      startMs: quantile(starts, 0.5),
    };
  });
}

function sorted(times: readonly number[]): readonly number[] {
  return times.toSorted((one, other) => one - other);
}

function quantile(times: readonly number[], share: number): number | undefined {
  return times[Math.max(0, Math.ceil(times.length * share) - 1)];
}

export function asTable(summaries: readonly Summary[]): string {
  const seconds = (ms: number | undefined) => (ms === undefined ? '-' : (ms / 1000).toFixed(1));
  const rows = summaries.map(({ group, cells, wrong, p50Ms, p99Ms, maxMs, startMs }) =>
    [group, cells, wrong, seconds(p50Ms), seconds(p99Ms), seconds(maxMs), seconds(startMs)].map(
      String,
    ),
  );
  const lines = [
    ['what was done', 'cells', 'wrong', 'p50 s', 'p99 s', 'max s', 'start s'],
    ...rows,
  ];
  const width = Math.max(...lines.map(([first = '']) => first.length)) + 2;
  return lines
    .map(
      ([first = '', ...rest]) => first.padEnd(width) + rest.map((one) => one.padStart(9)).join(''),
    )
    .join('\n');
}

export function asLine({ group, name, recoveryMs, wrong }: Result): string {
  const time = recoveryMs === undefined ? '     -' : `${recoveryMs}`.padStart(6);
  const verdict = wrong.length === 0 ? 'ok   ' : 'WRONG';
  return [
    `${verdict} ${time} ms  ${group}: ${name}`,
    ...wrong.map((what) => `        ${what}`),
  ].join('\n');
}

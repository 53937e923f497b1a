/** Results as a table: a line for each group, and each that went wrong by itself. */
import type { Result } from './cell.ts';

export interface Summary {
  readonly group: string;
  readonly cells: number;
  readonly wrong: number;
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
  readonly maxMs: number | undefined;
}

export function summarize(results: readonly Result[]): readonly Summary[] {
  const groups = [...new Set(results.map(({ group }) => group))];
  return groups.map((group) => {
    const ofGroup = results.filter((result) => result.group === group);
    const times = ofGroup
      .flatMap(({ recoveryMs }) => recoveryMs ?? [])
      .toSorted((one, other) => one - other);
    return {
      group,
      cells: ofGroup.length,
      wrong: ofGroup.filter(({ wrong }) => wrong.length > 0).length,
      p50Ms: quantile(times, 0.5),
      p99Ms: quantile(times, 0.99),
      maxMs: times.at(-1),
    };
  });
}

function quantile(sorted: readonly number[], share: number): number | undefined {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}

export function asTable(summaries: readonly Summary[]): string {
  const seconds = (ms: number | undefined) => (ms === undefined ? '-' : (ms / 1000).toFixed(1));
  const rows = summaries.map(({ group, cells, wrong, p50Ms, p99Ms, maxMs }) =>
    [group, cells, wrong, seconds(p50Ms), seconds(p99Ms), seconds(maxMs)].map(String),
  );
  const lines = [['what was done', 'cells', 'wrong', 'p50 s', 'p99 s', 'max s'], ...rows];
  const width = Math.max(...lines.map(([first = '']) => first.length)) + 2;
  return lines
    .map(
      ([first = '', ...rest]) => first.padEnd(width) + rest.map((one) => one.padStart(8)).join(''),
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

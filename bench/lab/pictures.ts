/** One picture for each figure of the faulty phase. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { drawBars } from './chart.ts';
import type { LabResult } from './experiment.ts';
import type { SideFigures } from './measure.ts';
import { percent, seconds, titleOf } from './report.ts';

interface Metric {
  readonly name: string;
  readonly title: string;
  readonly note: string;
  readonly value: (figures: SideFigures) => number | undefined;
  readonly words: (value: number | undefined) => string;
}

const perDocument = (pick: (figures: SideFigures) => number) => (figures: SideFigures) =>
  pick(figures) / figures.recoverable;
const inPercent = (value: number | undefined) => percent(value ?? Number.NaN);

const metrics: readonly Metric[] = [
  {
    name: 'not-accessible',
    title: 'Told ‘Document file is not accessible’',
    note: 'Share of documents that could be brought home. Target: 99% fewer than as it was',
    value: perDocument(({ notAccessible }) => notAccessible),
    words: inPercent,
  },
  {
    name: 'false-blame',
    title: 'Told to upload again though the bytes were there',
    note: 'Share of documents that could be brought home. Target: 0',
    value: perDocument(({ falselyBlamed }) => falselyBlamed),
    words: inPercent,
  },
  {
    name: 'success',
    title: 'Searchable in the end',
    note: 'Share of documents that could be brought home. Target: above 99.9%',
    value: perDocument(({ searchable }) => searchable),
    words: inPercent,
  },
  {
    name: 'doubled',
    title: 'Paid or stored twice',
    note: 'Share of documents. Target: 0',
    value: perDocument(({ doubled }) => doubled),
    words: inPercent,
  },
  {
    name: 'stuck',
    title: 'Stuck: nothing will ever happen to them',
    note: 'Share of documents. Target: 0',
    value: ({ stuck, recoverable, unrecoverable }) => stuck / (recoverable + unrecoverable),
    words: inPercent,
  },
  {
    name: 'time-p50',
    title: 'From sending the bytes to searchable, half of the documents',
    note: 'With faults, of those that became searchable',
    value: ({ p50Ms }) => p50Ms,
    words: (value) => `${seconds(value)} s`,
  },
  {
    name: 'time-p99',
    title: 'From sending the bytes to searchable, 99% of the documents',
    note: 'With faults, of those that became searchable: what the others give up, Intake waits for',
    value: ({ p99Ms }) => p99Ms,
    words: (value) => `${seconds(value)} s`,
  },
];

export async function writePictures({ faulty }: LabResult, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const { name, title, note, value, words } of metrics) {
    const bars = faulty.sides.map((figures) => ({
      label: titleOf(figures.name),
      value: value(figures),
      text: words(value(figures)),
    }));
    await writeFile(join(folder, `lab-${name}.svg`), drawBars({ title, note, bars }));
  }
}

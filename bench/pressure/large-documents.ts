/** Large documents one by one: the worker's peak of memory, and whether it ever fell silent. */
import { writeFile } from 'node:fs/promises';
import { ended, type SomeFile, upload } from '../../test/support/person.ts';
import type { Stack } from '../../test/support/stack.ts';
import { memoryOf } from '../memory.ts';
import { pdfOf } from './pdf-of.ts';

export interface LargeDocument {
  readonly name: string;
  readonly megabytes: number;
  readonly status: string;
  readonly pages: number;
  readonly chunks: number;
  readonly seconds: number;
  /** Resident memory of the worker: before, and at its highest. */
  readonly beforeMegabytes: number;
  readonly peakMegabytes: number;
  /** Tries that ended because no heartbeat came in time. */
  readonly lostTries: number;
}

export interface Sizes {
  readonly pages: readonly number[];
  readonly markdownMegabytes: readonly number[];
}

const MEGABYTE = 1024 ** 2;
const PATIENCE_MS = 60 * 60_000;

export async function measureLargeDocuments(
  stack: Stack,
  { pages, markdownMegabytes }: Sizes,
): Promise<readonly LargeDocument[]> {
  const figures: LargeDocument[] = [];
  for (const count of pages) {
    const content = pdfOf(count, LINES_A_PAGE);
    const file = { name: 'long.pdf', type: 'application/pdf', content };
    figures.push(await measure(stack, `${count} pages`, file));
  }
  for (const megabytes of markdownMegabytes) {
    const content = markdownOf(megabytes * MEGABYTE);
    figures.push(await measure(stack, `${megabytes} MB of Markdown`, { content }));
  }
  return figures;
}

const LINES_A_PAGE = 40;

async function measure(stack: Stack, name: string, file: SomeFile): Promise<LargeDocument> {
  const person = await stack.person();
  const { pid } = stack.worker;
  const beforeMegabytes = await memoryOf(pid, 'VmRSS');
  await writeFile(`/proc/${pid}/clear_refs`, '5'); // the peak counts from here
  const startedAt = performance.now();
  const seen = await ended(person, await upload(person, file), PATIENCE_MS);
  return {
    name,
    megabytes: Math.round(Buffer.byteLength(file.content) / MEGABYTE),
    status: seen.status,
    pages: seen.pages ?? 0,
    chunks: seen.chunks ?? 0,
    seconds: (performance.now() - startedAt) / 1000,
    beforeMegabytes,
    peakMegabytes: await memoryOf(pid, 'VmHWM'),
    lostTries: seen.timeline.filter(({ code }) => code === 'WORKER_LOST').length,
  };
}

function markdownOf(bytes: number): string {
  const sections: string[] = [];
  for (let left = bytes, number = 1; left > 0; number += 1) {
    const section = `## Section ${number}\n\n${paragraph(number)}\n\n`;
    if (section.length > left) break;
    sections.push(section);
    left -= section.length;
  }
  return sections.join('');
}

function paragraph(number: number): string {
  return Array.from(
    { length: 8 },
    (_, line) =>
      `Benefit ${number}.${line} covers visit ${number * line} with a copayment of ${line} dollars.`,
  ).join(' ');
}

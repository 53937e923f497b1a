/** One `Range` of bytes, both ends inclusive. */
import { refuse } from './refusals.ts';

export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export function parseRange(header: string, sizeBytes: number): ByteRange {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header) ?? [];
  if (first === '' && last === '') throw refuse.invalidRange();
  const start = first === '' ? Math.max(0, sizeBytes - Number(last)) : Number(first);
  const end = first === '' || last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  if (start > end) throw refuse.invalidRange();
  return { start, end };
}

/** Named faults that touch bytes on their way in or out. */
import type { NamedFault } from '../fault-rules.ts';

export const uploadFaults = ['truncate', 'change', 'disk-full'];
export const downloadFaults = ['truncate', 'shorten', 'stall', 'change'];

/**
 * `truncate`, `shorten` and `stall` end the bytes after `value`, `change` flips the bits of byte number `value`,
 * `disk-full` fails after `value` bytes; without a value it is 0. `withEnding` does the rest for downloads.
 */
export async function* tamper(
  body: AsyncIterable<Uint8Array>,
  fault: NamedFault | undefined,
): AsyncGenerator<Uint8Array> {
  const at = fault?.value ?? 0;
  let passed = 0;
  for await (const chunk of body) {
    const place = at - passed;
    passed += chunk.byteLength;
    const here = fault !== undefined && place < chunk.byteLength;
    if (!here || place < 0) {
      yield chunk;
      continue;
    }
    switch (fault.name) {
      case 'truncate':
      case 'shorten':
      case 'stall':
        yield chunk.subarray(0, place);
        return;
      case 'disk-full':
        throw Object.assign(new Error('ENOSPC: no space left on device, write'), {
          code: 'ENOSPC',
        });
      case 'change':
        yield flipped(chunk, place);
        break;
      default:
        yield chunk;
    }
  }
}

/** How a download with fewer bytes ends: `truncate` with a reset, `stall` not before the reader has `gone`. */
export async function* withEnding(
  body: AsyncIterable<Uint8Array>,
  fault: NamedFault | undefined,
  gone: () => Promise<unknown>,
): AsyncGenerator<Uint8Array> {
  yield* body;
  if (fault?.name === 'truncate') throw new Error('cut off by the fault script');
  if (fault?.name === 'stall') await gone();
}

function flipped(chunk: Uint8Array, place: number): Uint8Array {
  const copy = Uint8Array.from(chunk);
  copy[place] = ~(copy[place] ?? 0);
  return copy;
}

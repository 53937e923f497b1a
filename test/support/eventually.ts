/** Vitest's own patience is one second, which a busy machine needs for nothing at all. */
import { vi } from 'vitest';

/** Asserts again and again until it holds. */
export function eventually<Result>(assertion: () => Result | Promise<Result>): Promise<Result> {
  return vi.waitFor(assertion, { timeout: 45_000, interval: 25 });
}

/** The polling loop: what is found is worked on beside the others, up to a limit; what is not found is waited for. */
import { setTimeout as sleep } from 'node:timers/promises';

const SLOTS = 16;

export interface Polling<Claimed> {
  readonly pollMs: number;
  claim(): Promise<Claimed | undefined>;
  /** Never rejects. */
  work(claimed: Claimed): Promise<void>;
}

export async function poll<Claimed>({ pollMs, claim, work }: Polling<Claimed>): Promise<never> {
  const busy = new Set<Promise<void>>();
  for (;;) {
    if (busy.size >= SLOTS) await Promise.race(busy);
    const claimed = await claim();
    if (claimed === undefined) {
      await sleep(pollMs);
      continue;
    }
    const done = work(claimed).finally(() => busy.delete(done));
    busy.add(done);
  }
}

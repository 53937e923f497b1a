/** Looks again and again until there is something to see; for what is used outside of vitest as well. */
import { setTimeout as delay } from 'node:timers/promises';

const EVERY_MS = 50;
const PATIENCE_MS = 120_000;

/** Answers the first look that is not `undefined`. */
export async function until<Seen>(
  what: string,
  look: () => Promise<Seen | undefined>,
  patienceMs = PATIENCE_MS,
): Promise<Seen> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (Date.now() > deadline) throw new Error(`not within ${patienceMs} ms: ${what}`);
    await delay(EVERY_MS);
  }
}

/** The same for a plain yes. */
export async function untilTrue(what: string, look: () => Promise<boolean>): Promise<void> {
  await until(what, async () => ((await look()) ? true : undefined));
}

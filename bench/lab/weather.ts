/** Outages of storage that meet everybody, at moments that the seed decides. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultClient } from '../../src/dev/fault-client.ts';
import { outageRules, outages } from './fault-kinds.ts';
import { createRandom } from './random.ts';

export interface Episode {
  readonly atMs: number;
  readonly forMs: number;
  readonly outage: (typeof outages)[number];
}

const PAUSE_SECONDS = [10, 40] as const;
const OUTAGE_SECONDS = [3, 12] as const;

export function forecast(seed: string, lastsMs: number): readonly Episode[] {
  const random = createRandom(`${seed}/weather`);
  const drawMs = ([least, most]: readonly [number, number]) =>
    Math.round(random.between(least, most) * 1_000);
  const episodes: Episode[] = [];
  for (let atMs = drawMs(PAUSE_SECONDS); atMs < lastsMs; atMs += drawMs(PAUSE_SECONDS)) {
    const forMs = drawMs(OUTAGE_SECONDS);
    episodes.push({ atMs, forMs, outage: random.pick(outages) });
    atMs += forMs;
  }
  return episodes;
}

/** Resolves when the last one has begun, or when it is told to stop. */
export async function playWeather(
  storage: FaultClient,
  episodes: readonly Episode[],
  signal: AbortSignal,
): Promise<void> {
  const startedAtMs = Date.now();
  for (const { atMs, forMs, outage } of episodes) {
    const waitMs = Math.max(0, startedAtMs + atMs - Date.now());
    await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    await storage.add(...outageRules(outage, forMs));
  }
}

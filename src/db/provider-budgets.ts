/**
 * Token buckets of the providers, over all workers and by the database's clock. A bucket is kept as the instant of its
 * next call (the generic cell rate algorithm): taking a token moves it one interval ahead, a pause moves it to its end,
 * and a quiet time lets it fall behind by at most the burst.
 */
import { databaseError, type Queryable } from './pool.ts';

export type Provider = 'parser' | 'embedder';

export interface TurnRequest {
  readonly callsPerSecond: number;
  readonly burst: number;
  /** A turn farther off is not taken. */
  readonly maxWaitMs: number;
}

/** One statement; a second one only where the turn is too far off. */
export async function takeTurn(
  q: Queryable,
  provider: Provider,
  { callsPerSecond, burst, maxWaitMs }: TurnRequest,
): Promise<{ readonly granted: boolean; readonly waitMs: number }> {
  const intervalMs = 1000 / callsPerSecond;
  const taken = await query(
    q,
    `insert into intake.provider_budgets as budget (provider, next_call_at)
     values ($1, clock_timestamp() + ($2::float8 - $3::float8) * interval '1 millisecond')
     on conflict (provider) do update
     set next_call_at = greatest(budget.next_call_at, clock_timestamp() - $3::float8 * interval '1 millisecond')
                        + $2::float8 * interval '1 millisecond'
     where budget.next_call_at <= clock_timestamp() + $4::float8 * interval '1 millisecond'
     returning extract(epoch from next_call_at - clock_timestamp())::float8 * 1000 - $2::float8 as wait_ms`,
    [provider, intervalMs, (burst - 1) * intervalMs, maxWaitMs],
  );
  if (taken !== undefined) return { granted: true, waitMs: Math.max(0, taken) };
  const left = await query(
    q,
    `select extract(epoch from next_call_at - clock_timestamp())::float8 * 1000 as wait_ms
     from intake.provider_budgets where provider = $1`,
    [provider],
  );
  return { granted: false, waitMs: Math.max(0, left ?? 0) };
}

/** Nobody calls for so long; of two pauses the one that ends later counts. */
export async function pauseProvider(q: Queryable, provider: Provider, ms: number): Promise<void> {
  await query(
    q,
    `insert into intake.provider_budgets as budget (provider, next_call_at)
     values ($1, clock_timestamp() + $2::float8 * interval '1 millisecond')
     on conflict (provider) do update
     set next_call_at = greatest(budget.next_call_at, excluded.next_call_at)`,
    [provider, ms],
  );
}

async function query(
  q: Queryable,
  text: string,
  values: readonly unknown[],
): Promise<number | undefined> {
  try {
    const { rows } = await q.query<{ wait_ms: number }>(text, [...values]);
    return rows[0]?.wait_ms;
  } catch (error) {
    throw databaseError(error);
  }
}

/** The connection pool and the two ways to use it: as ourselves, and as the caller under row-level security. */
import pg from 'pg';
import { IntakeError } from '../domain/errors.ts';
import type { OwnerId } from '../domain/ids.ts';

export type Pool = pg.Pool;
/** What a query needs: the pool, or the client of an open transaction. */
export type Queryable = Pick<pg.Pool, 'query'>;

export interface PoolOptions {
  readonly connectionString: string;
  readonly size: number;
  /** Told of errors of idle connections; the pool replaces them by itself. */
  readonly onIdleError: (error: Error) => void;
}

const STATEMENT_TIMEOUT_MS = 30_000;

export function createPool(options: PoolOptions): Pool {
  const pool = new pg.Pool({
    connectionString: options.connectionString,
    max: options.size,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 30_000,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: STATEMENT_TIMEOUT_MS + 5_000,
    idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS,
    keepAlive: true,
  });
  pool.on('error', options.onIdleError);
  // The pool listens to idle connections alone. A borrowed one tells its queries; unheard, it would end the process.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** Runs `work` in one transaction; any error rolls back and is translated once by `databaseError`. */
export async function inTransaction<Result>(
  pool: Pool,
  work: (transaction: Queryable) => Promise<Result>,
  begin = 'begin',
): Promise<Result> {
  let client: pg.PoolClient;
  try {
    client = await pool.connect();
  } catch (error) {
    throw databaseError(error);
  }
  try {
    const inOrder = oneAtATime(client);
    // `begin` stands before the first statement; whichever fails, nothing of `work` is left running.
    const [begun, done] = await Promise.allSettled([inOrder.query(begin), work(inOrder)]);
    if (begun.status === 'rejected') throw begun.reason;
    if (done.status === 'rejected') throw done.reason;
    await client.query('commit');
    client.release();
    return done.value;
  } catch (error) {
    const broken = await client.query('rollback').then(
      () => false,
      () => true,
    );
    client.release(broken);
    throw databaseError(error);
  }
}

/** Statements that are given at once run one after the other; `pg` is to stop doing so by itself. */
function oneAtATime(client: pg.PoolClient): Queryable {
  let last: Promise<unknown> = Promise.resolve();
  const query = (...statement: Parameters<pg.PoolClient['query']>) => {
    const run = () => client.query(...statement);
    const answer = last.then(run, run);
    last = answer;
    return answer;
  };
  return { query: query as pg.PoolClient['query'] };
}

/**
 * Reads under the caller's own rights: role `authenticated` with the caller's claims, so that row-level security decides.
 * All statements see one snapshot: a generation that goes live meanwhile is read whole or not at all.
 */
export function asOwner<Result>(
  pool: Pool,
  ownerId: OwnerId,
  work: (transaction: Queryable) => Promise<Result>,
): Promise<Result> {
  const reading = async (transaction: Queryable) => {
    await transaction.query(
      `select set_config('role', 'authenticated', true), set_config('request.jwt.claims', $1, true)`,
      [JSON.stringify({ sub: ownerId, role: 'authenticated' })],
    );
    return work(transaction);
  };
  return inTransaction(pool, reading, 'begin isolation level repeatable read, read only');
}

/** One translation of what Postgres and its connection throw. Our own errors pass. */
export function databaseError(error: unknown): unknown {
  if (error instanceof IntakeError) return error;
  if (isConnectionFault(error)) return new IntakeError('DATABASE_UNAVAILABLE', { cause: error });
  return error;
}

const networkFaults = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);
/** Connection and resource trouble, rollbacks that another try mends, cancelled statements, lock timeouts. */
const passingStates = /^(08|53|40|57P|57014|55P03|25P03)/;
/** What `pg` says without any code when it gives a connection up. */
const lostConnection =
  /^(timeout exceeded when trying to connect|Connection terminated|Query read timeout|Client has encountered a connection error)/;

function isConnectionFault(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  if (typeof code === 'string') return networkFaults.has(code) || passingStates.test(code);
  return lostConnection.test(error.message);
}

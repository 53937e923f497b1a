/**
 * The authenticated way to one bucket of Supabase Storage. Every call has a deadline and a signal that reach
 * `fetch`, and every refused or failed call is a `StorageCallError` that the one classifier has judged.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import {
  classifyStorageError,
  type StorageFailure,
  storageErrorFacts,
} from './classify-storage-error.ts';
import { type Deadline, startDeadline } from './deadline.ts';

export interface StorageSessionOptions {
  readonly url: string;
  readonly serviceRoleKey: string;
  readonly bucket: string;
  /** Longest wait for an answer. */
  readonly callTimeoutMs?: number;
}

export interface CallLimits {
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs?: number;
}

type Storage = SupabaseClient['storage'];
type Files = ReturnType<Storage['from']>;
type Operation<Data> = (
  files: Files,
  storage: Storage,
) => PromiseLike<{ readonly data: Data | null; readonly error: Error | null }>;

export interface OpenAnswer<Data> {
  readonly data: Data;
  readonly headers: Headers;
  /** Runs on: the receiver of the body ends it. */
  readonly deadline: Deadline;
}

export interface StorageSession {
  send<Data>(operation: Operation<Data>, limits: CallLimits): Promise<Data>;
  /** For an answer whose body is still to be read. */
  open<Data>(operation: Operation<Data>, limits: CallLimits): Promise<OpenAnswer<Data>>;
}

/** Stays inside this folder: callers turn it into an `IntakeError`. */
export class StorageCallError extends Error {
  override readonly name = 'StorageCallError';
  readonly failure: StorageFailure;
  readonly retryAfterMs: number | undefined;

  constructor(error: unknown, headers: Headers) {
    const facts = storageErrorFacts(error);
    // Not the server's message, which may quote a key.
    super(`storage answered ${facts.statusCode ?? 'nothing'} ${facts.code ?? ''}`.trimEnd(), {
      cause: error,
    });
    this.failure = classifyStorageError(facts);
    const seconds = Number(headers.get('retry-after') ?? Number.NaN);
    this.retryAfterMs = seconds >= 0 ? seconds * 1000 : undefined;
  }
}

export function isFailure(error: unknown, failure: StorageFailure): boolean {
  return error instanceof StorageCallError && error.failure === failure;
}

interface Exchange {
  readonly signal: AbortSignal;
  headers: Headers;
}

/** Most calls of supabase-js take no signal and none gives response headers: its `fetch` finds the call's own here. */
const exchanges = new AsyncLocalStorage<Exchange>();

export function createStorageSession(options: StorageSessionOptions): StorageSession {
  const { storage } = createClient(options.url, options.serviceRoleKey, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    global: { fetch: fetchInExchange },
  });

  async function open<Data>(
    operation: Operation<Data>,
    limits: CallLimits,
  ): Promise<OpenAnswer<Data>> {
    const deadline = startDeadline(
      limits.timeoutMs ?? options.callTimeoutMs ?? 30_000,
      limits.signal,
    );
    const exchange: Exchange = { signal: deadline.signal, headers: new Headers() };
    try {
      // Awaited inside: a download is only sent when somebody waits for it.
      const { data, error } = await exchanges.run(
        exchange,
        async () => await operation(storage.from(options.bucket), storage),
      );
      if (error !== null || data === null) throw new StorageCallError(error, exchange.headers);
      return { data, headers: exchange.headers, deadline };
    } catch (error) {
      deadline.end();
      throw error;
    }
  }

  return {
    open,
    async send(operation, limits) {
      const { data, deadline } = await open(operation, limits);
      deadline.end();
      return data;
    },
  };
}

async function fetchInExchange(
  input: Parameters<typeof fetch>[0],
  init?: RequestInit,
): Promise<Response> {
  const exchange = exchanges.getStore();
  if (exchange === undefined) return fetch(input, init);
  const headers = new Headers(init?.headers);
  // The length of a compressed body says nothing about the object's.
  headers.set('accept-encoding', 'identity');
  const response = await fetch(input, {
    ...init,
    headers,
    signal: exchange.signal,
    // Our key follows nobody elsewhere; and to be ready for a redirect, Node would keep a streamed body whole in memory.
    redirect: 'error',
  });
  exchange.headers = response.headers;
  return response;
}

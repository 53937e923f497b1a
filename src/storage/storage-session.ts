/**
 * The authenticated way to Supabase Storage. Every call has a signal that reaches `fetch`, and every
 * failure is a `StorageCallError` that the one classifier has judged.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import {
  classifyStorageError,
  type StorageFailure,
  storageErrorFacts,
} from './classify-storage-error.ts';

export interface StorageSessionOptions {
  readonly url: string;
  readonly serviceRoleKey: string;
}

export type StorageClient = SupabaseClient['storage'];

type Answer<Data> =
  | { readonly data: Data; readonly error: null }
  | { readonly data: null; readonly error: Error };

export type StorageOperation<Data> = (storage: StorageClient) => PromiseLike<Answer<Data>>;

export interface StorageSession {
  send<Data>(
    operation: StorageOperation<Data>,
    signal: AbortSignal,
  ): Promise<{ readonly data: Data; readonly headers: Headers }>;
}

/** Stays inside this folder: callers turn it into an `IntakeError`. */
export class StorageCallError extends Error {
  override readonly name = 'StorageCallError';
  readonly failure: StorageFailure;
  readonly retryAfterMs: number | undefined;

  constructor(
    failure: StorageFailure,
    options: { summary: string; retryAfterMs: number | undefined; cause: unknown },
  ) {
    super(options.summary, { cause: options.cause });
    this.failure = failure;
    this.retryAfterMs = options.retryAfterMs;
  }
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
  return {
    async send(operation, signal) {
      const exchange: Exchange = { signal, headers: new Headers() };
      const { data, error } = await exchanges.run(exchange, () => operation(storage));
      if (error === null) return { data, headers: exchange.headers };
      const facts = storageErrorFacts(error);
      throw new StorageCallError(classifyStorageError(facts), {
        // Not the server's message, which may quote a key.
        summary: `storage answered ${facts.statusCode ?? 'nothing'} ${facts.code ?? ''}`.trimEnd(),
        retryAfterMs: readRetryAfter(exchange.headers),
        cause: error,
      });
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
  // A compressed body's length says nothing about the object's.
  headers.set('accept-encoding', 'identity');
  const response = await fetch(input, { ...init, headers, signal: exchange.signal });
  exchange.headers = response.headers;
  return response;
}

function readRetryAfter(headers: Headers): number | undefined {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  return seconds >= 0 ? seconds * 1000 : undefined;
}

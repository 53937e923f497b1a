/** Adapter: the blob store on Supabase Storage. A call that the caller aborts ends in the signal's own reason. */
import { Readable } from 'node:stream';
import { decodeJwt } from 'jose';
import { z } from 'zod';
import { IntakeError } from '../domain/errors.ts';
import { startDeadline } from './deadline.ts';
import { checkedKey, checkedPrefix } from './object-key.ts';
import type {
  ObjectStat,
  ObjectStore,
  PutOptions,
  ReadOptions,
  SignedUpload,
} from './object-store.ts';
import { readBody } from './read-body.ts';
import {
  type Answer,
  createStorageSession,
  StorageCallError,
  type StorageClient,
  type StorageSession,
  type StorageSessionOptions,
} from './storage-session.ts';

export interface SupabaseObjectStoreOptions extends StorageSessionOptions {
  readonly bucket: string;
  /** Longest wait for an answer. */
  readonly callTimeoutMs?: number;
  /** Longest transfer of one object's bytes. */
  readonly transferTimeoutMs?: number;
}

type Files = ReturnType<StorageClient['from']>;

const LIST_PAGE = 100;
const REMOVE_BATCH = 1000;

const tokenSchema = z.object({ exp: z.number() });
const infoSchema = z.object({
  size: z.number().int().nonnegative(),
  contentType: z.string().nullish(),
});
const rowsSchema = z.array(z.object({ name: z.string().min(1), id: z.string().nullable() }));

export class SupabaseObjectStore implements ObjectStore {
  readonly #session: StorageSession;
  readonly #bucket: string;
  readonly #callTimeoutMs: number;
  readonly #transferTimeoutMs: number;

  constructor(options: SupabaseObjectStoreOptions) {
    this.#session = createStorageSession(options);
    this.#bucket = options.bucket;
    this.#callTimeoutMs = options.callTimeoutMs ?? 30_000;
    this.#transferTimeoutMs = options.transferTimeoutMs ?? 300_000;
  }

  async signUpload(key: string, signal?: AbortSignal): Promise<SignedUpload> {
    try {
      const signed = await this.#send(
        (files) => files.createSignedUploadUrl(checkedKey(key)),
        signal,
      );
      const { exp } = tokenSchema.parse(decodeJwt(signed.token));
      return { url: signed.signedUrl, expiresAt: new Date(exp * 1000) };
    } catch (error) {
      throw await this.#translate(error, signal);
    }
  }

  async put(key: string, body: Readable | Uint8Array, options: PutOptions): Promise<void> {
    const { contentType, signal } = options;
    try {
      await this.#send(
        (files) => files.upload(checkedKey(key), body, { contentType, upsert: true }),
        signal,
        this.#transferTimeoutMs,
      );
    } catch (error) {
      // The caller's own stream broke, not storage.
      if (body instanceof Readable && body.errored !== null) throw body.errored;
      throw await this.#translate(error, signal);
    }
  }

  async stat(key: string, signal?: AbortSignal): Promise<ObjectStat> {
    try {
      const info = await this.#send((files) => files.info(checkedKey(key)), signal);
      const { size, contentType } = infoSchema.parse(info);
      return { sizeBytes: size, contentType: contentType ?? undefined };
    } catch (error) {
      throw await this.#translate(error, signal);
    }
  }

  async read(key: string, { maxBytes, signal }: ReadOptions): Promise<Readable> {
    const deadline = startDeadline(this.#callTimeoutMs, signal);
    try {
      const { data, headers } = await this.#session.send(
        (storage) => storage.from(this.#bucket).download(checkedKey(key)).asStream(),
        deadline.signal,
      );
      const length = headers.get('content-length');
      const sizeBytes = length === null ? (await this.stat(key, signal)).sizeBytes : Number(length);
      if (sizeBytes > maxBytes) throw new IntakeError('DOCUMENT_TOO_LARGE');
      deadline.restart(this.#transferTimeoutMs);
      const body = readBody(data, { sizeBytes, maxBytes, callerSignal: signal });
      body.once('close', () => deadline.end());
      return body;
    } catch (error) {
      deadline.end();
      throw await this.#translate(error, signal);
    }
  }

  async copy(fromKey: string, toKey: string, signal?: AbortSignal): Promise<void> {
    try {
      await this.#send((files) => files.copy(checkedKey(fromKey), checkedKey(toKey)), signal);
    } catch (error) {
      if (error instanceof StorageCallError && error.failure === 'exists') return;
      throw await this.#translate(error, signal);
    }
  }

  async list(prefix: string, signal?: AbortSignal): Promise<readonly string[]> {
    try {
      const keys = await Array.fromAsync(this.#keysBelow(checkedPrefix(prefix), signal));
      // A missing bucket and a forbidden read list nothing, without an error.
      if (keys.length === 0) await this.#readBucket(signal);
      return keys;
    } catch (error) {
      throw await this.#translate(error, signal);
    }
  }

  async remove(keys: readonly string[], signal?: AbortSignal): Promise<void> {
    if (keys.length === 0) return;
    try {
      for (let start = 0; start < keys.length; start += REMOVE_BATCH) {
        const batch = keys.slice(start, start + REMOVE_BATCH).map(checkedKey);
        await this.#send((files) => files.remove(batch), signal);
      }
      // A refused removal is no error either.
      for (const key of keys) await this.#confirmMissing(key, signal);
      await this.#readBucket(signal);
    } catch (error) {
      throw await this.#translate(error, signal);
    }
  }

  async *#keysBelow(prefix: string, signal: AbortSignal | undefined): AsyncGenerator<string> {
    for (let offset = 0; ; offset += LIST_PAGE) {
      const page = await this.#send(
        (files) => files.list(prefix, { limit: LIST_PAGE, offset }),
        signal,
      );
      for (const { name, id } of rowsSchema.parse(page)) {
        if (id === null) yield* this.#keysBelow(`${prefix}${name}/`, signal);
        else yield `${prefix}${name}`;
      }
      if (page.length < LIST_PAGE) return;
    }
  }

  async #confirmMissing(key: string, signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.#send((files) => files.info(key), signal);
    } catch (error) {
      if (error instanceof StorageCallError && error.failure === 'missing') return;
      throw error;
    }
    throw new IntakeError('STORAGE_UNAVAILABLE', { detail: 'an object outlived its removal' });
  }

  /** The control read: it fails wherever a missing object or an empty list proves nothing. */
  async #readBucket(signal: AbortSignal | undefined): Promise<void> {
    await this.#underDeadline(signal, this.#callTimeoutMs, (storage) =>
      storage.getBucket(this.#bucket),
    );
  }

  #send<Data>(
    operation: (files: Files) => PromiseLike<Answer<Data>>,
    signal: AbortSignal | undefined,
    timeoutMs = this.#callTimeoutMs,
  ): Promise<Data> {
    return this.#underDeadline(signal, timeoutMs, (storage) =>
      operation(storage.from(this.#bucket)),
    );
  }

  async #underDeadline<Data>(
    signal: AbortSignal | undefined,
    timeoutMs: number,
    operation: (storage: StorageClient) => PromiseLike<Answer<Data>>,
  ): Promise<Data> {
    const deadline = startDeadline(timeoutMs, signal);
    try {
      return (await this.#session.send(operation, deadline.signal)).data;
    } finally {
      deadline.end();
    }
  }

  async #translate(error: unknown, signal: AbortSignal | undefined): Promise<unknown> {
    if (signal?.aborted) return signal.reason;
    if (error instanceof IntakeError) return error;
    if (!(error instanceof StorageCallError)) return unavailable(error);
    if (error.failure === 'missing') return this.#absentOrRefused(error, signal);
    ...
  }
}

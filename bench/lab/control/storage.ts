/** The original's storage manager: plain HTTP with the service key, paths that begin with the bucket. */
import type { Endpoint } from './settings.ts';

const TIMEOUT_MS = 60_000;

/** Whatever goes wrong is 'not there': so it was, and so the guide keeps it. */
export async function blobExists(storage: Endpoint, path: string): Promise<boolean> {
  try {
    return (await call(storage, `object/${path}`, { method: 'HEAD' })).ok;
  } catch {
    return false;
  }
}

export async function readBlob(storage: Endpoint, path: string): Promise<Buffer> {
  const response = await call(storage, `object/${path}`);
  if (!response.ok) throw new Error(`storage answered ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

export async function writeBlob(
  storage: Endpoint,
  path: string,
  content: string | Buffer,
): Promise<void> {
  const response = await call(storage, `object/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'text/markdown', 'x-upsert': 'true' },
    body: typeof content === 'string' ? content : Uint8Array.from(content),
  });
  if (!response.ok) throw new Error(`storage answered ${response.status}`);
}

export async function signUpload(storage: Endpoint, path: string): Promise<string> {
  const response = await call(storage, `object/upload/sign/${path}`, { method: 'POST' });
  if (!response.ok) throw new Error(`storage answered ${response.status}`);
  const { url } = (await response.json()) as { url: string };
  return `${storage.url}/storage/v1${url}`;
}

function call({ url, key }: Endpoint, path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${url}/storage/v1/${path}`, {
    ...init,
    headers: { apikey: key, authorization: `Bearer ${key}`, ...init.headers },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
}

/** A person with a program of their own: speaks HTTP and knows nothing of what is behind it. */
import { createHash } from 'node:crypto';
import { until } from './until.ts';

export interface Answer<Body> {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed where it is JSON, else the text. */
  readonly body: Body;
}

export interface Accepted {
  readonly documentId: string;
  readonly status: string;
  readonly uploadUrl?: string;
}

export interface Seen {
  readonly documentId: string;
  readonly status: string;
  readonly error?: { readonly code: string; readonly turn: string; readonly message: string };
  readonly waiting?: { readonly code: string; readonly turn: string };
  readonly pages?: number;
  readonly chunks?: number;
  readonly endedAt?: string;
  readonly attempts: readonly unknown[];
  readonly timeline: readonly {
    readonly kind: string;
    readonly status?: string;
    readonly code?: string;
  }[];
}

export interface SomeFile {
  readonly name?: string;
  readonly type?: string;
  readonly content: string | Uint8Array;
}

interface Request {
  readonly json?: unknown;
  readonly body?: RequestInit['body'];
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Person {
  readonly ownerId: string;
  readonly token: string;
  send<Body>(method: string, path: string, request?: Request): Promise<Answer<Body>>;
}

export function createPerson(url: string, ownerId: string, token: string): Person {
  return {
    ownerId,
    token,
    send: (method, path, { json, body, headers } = {}) =>
      exchange(`${url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(json === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        body: json === undefined ? (body ?? null) : JSON.stringify(json),
      }),
  };
}

/** The one place where an answer gets its type. */
export async function exchange<Body>(url: string, request?: RequestInit): Promise<Answer<Body>> {
  const response = await fetch(url, request);
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: parse(text) as Body };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** What a client says of its file; `lie` is what it says otherwise. */
export function declaration(file: SomeFile, lie: Readonly<Record<string, unknown>> = {}) {
  const { content, name = 'policy.md', type = 'text/markdown' } = file;
  return { name, type, sizeBytes: Buffer.byteLength(content), sha256: sha256(content), ...lie };
}

export async function declare(
  person: Person,
  file: SomeFile,
  lie?: Readonly<Record<string, unknown>>,
): Promise<Accepted> {
  const { status, body } = await person.send<Accepted>('POST', '/v1/uploads', {
    json: declaration(file, lie),
  });
  if (status >= 300) throw new Error(`declared in vain: ${status} ${JSON.stringify(body)}`);
  return body;
}

/** The status of the answer. */
export async function put(url: string | undefined, file: SomeFile): Promise<number> {
  if (url === undefined) throw new Error('no upload URL');
  const headers = { 'content-type': file.type ?? 'text/markdown' };
  const answer = await exchange(url, { method: 'PUT', headers, body: Buffer.from(file.content) });
  return answer.status;
}

export async function confirm(person: Person, documentId: string): Promise<number> {
  return (await person.send('POST', `/v1/uploads/${documentId}/confirm`)).status;
}

/** Declares, uploads and confirms, as a client does. */
export async function upload(
  person: Person,
  file: SomeFile,
  lie?: Readonly<Record<string, unknown>>,
): Promise<string> {
  const { documentId, uploadUrl } = await declare(person, file, lie);
  if (uploadUrl !== undefined) {
    await put(uploadUrl, file);
    await confirm(person, documentId);
  }
  return documentId;
}

/** The document as it is; throws when the person cannot see it. */
export async function look(person: Person, documentId: string): Promise<Seen> {
  const { status, body } = await person.send<Seen>('GET', `/v1/documents/${documentId}`);
  if (status !== 200) throw new Error(`not seen: ${status} ${JSON.stringify(body)}`);
  return body;
}

/** Waits until the document is at `status`; another end fails at once. */
export function reach(person: Person, documentId: string, status: string): Promise<Seen> {
  return until(`${documentId} is ${status}`, async () => {
    const seen = await look(person, documentId);
    if (seen.status === status) return seen;
    if (seen.endedAt === undefined) return undefined;
    throw new Error(`ended as ${seen.status} (${seen.error?.code}) instead of ${status}`);
  });
}

/** Waits for the end, whichever it is. */
export function ended(person: Person, documentId: string, patienceMs?: number): Promise<Seen> {
  const atItsEnd = async () => {
    const seen = await look(person, documentId);
    return seen.endedAt === undefined ? undefined : seen;
  };
  return until(`${documentId} has ended`, atItsEnd, patienceMs);
}

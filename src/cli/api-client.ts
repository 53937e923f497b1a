/** Intake's HTTP API as a client sees it. Whatever fails comes back as the `IntakeError` that the server meant. */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type {
  askedRequest,
  commandAnswer,
  documentDetail,
  documentPage,
  explanation,
  extendRequest,
  failRequest,
  limitsAnswer,
  listQuery,
  operatedPage,
  operatedQuery,
  operatorAnswer,
  runQuery,
  searchAnswer,
  searchRequest,
  uploadAnswer,
  uploadDeclaration,
} from '../api/schemas.ts';
import { isLoopback } from '../config.ts';
import { type ErrorCode, IntakeError, isErrorCode } from '../domain/errors.ts';

/** JSON has no dates. */
type OnTheWire<Value> = Value extends Date
  ? string
  : Value extends readonly (infer Item)[]
    ? OnTheWire<Item>[]
    : Value extends object
      ? { [Key in keyof Value]: OnTheWire<Value[Key]> }
      : Value;
type Answer<Schema extends z.ZodType> = OnTheWire<z.output<Schema>>;

export type UploadAnswer = Answer<typeof uploadAnswer>;
export type CommandAnswer = Answer<typeof commandAnswer>;
export type DocumentDetail = Answer<typeof documentDetail>;
export type DocumentPage = Answer<typeof documentPage>;
export type Explanation = Answer<typeof explanation>;
export type OperatedPage = Answer<typeof operatedPage>;
export type OperatorAnswer = Answer<typeof operatorAnswer>;
export type SearchAnswer = Answer<typeof searchAnswer>;
export type Limits = Answer<typeof limitsAnswer>;

export interface ApiClient {
  declareUpload(declaration: z.input<typeof uploadDeclaration>): Promise<UploadAnswer>;
  confirmUpload(documentId: string): Promise<CommandAnswer>;
  document(documentId: string): Promise<DocumentDetail>;
  documents(query: z.input<typeof listQuery>): Promise<DocumentPage>;
  explain(documentId: string): Promise<Explanation>;
  retry(documentId: string): Promise<CommandAnswer>;
  cancel(documentId: string): Promise<CommandAnswer>;
  delete(documentId: string): Promise<CommandAnswer>;
  search(request: z.input<typeof searchRequest>): Promise<SearchAnswer>;
  limits(): Promise<Limits>;
  /** For an operator's token. */
  readonly operator: OperatorClient;
}

export interface OperatorClient {
  onTheRoad(query: z.input<typeof operatedQuery>): Promise<OperatedPage>;
  findByRuns(query: z.input<typeof runQuery>): Promise<OperatedPage>;
  poll(documentId: string, asked: z.input<typeof askedRequest>): Promise<OperatorAnswer>;
  extend(documentId: string, asked: z.input<typeof extendRequest>): Promise<OperatorAnswer>;
  fail(documentId: string, asked: z.input<typeof failRequest>): Promise<OperatorAnswer>;
  retry(documentId: string, asked: z.input<typeof askedRequest>): Promise<CommandAnswer>;
  cancel(documentId: string, asked: z.input<typeof askedRequest>): Promise<CommandAnswer>;
}

export interface ApiClientOptions {
  readonly url: string;
  readonly token: string;
  /** How long a request that may succeed later is tried again, 60 s unless told. */
  readonly patienceMs?: number;
  /** Told before each pause. */
  readonly waiting?: () => void;
}

const REQUEST_TIMEOUT_MS = 30_000;
const DEFAULT_PATIENCE_MS = 60_000;
const DEFAULT_PAUSE_MS = 1_000;

export function createApiClient({
  url,
  token,
  patienceMs = DEFAULT_PATIENCE_MS,
  waiting,
}: ApiClientOptions): ApiClient {
  const base = url.replace(/\/$/, '');

  /** The one place where an answer gets its type: server and client are of one version. */
  async function send<Result>(method: string, path: string, body?: unknown): Promise<Result> {
    const request: RequestInit = {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    const deadline = Date.now() + patienceMs;
    for (;;) {
      try {
        return (await exchange(`${base}${path}`, request)) as Result;
      } catch (error) {
        const pauseMs = pauseBefore(error);
        if (pauseMs === undefined || Date.now() + pauseMs > deadline) throw error;
        waiting?.();
        await delay(pauseMs);
      }
    }
  }

  const document = (id: string) => `/v1/documents/${encodeURIComponent(id)}`;
  const operated = (id: string) => `/v1/operator/documents/${encodeURIComponent(id)}`;
  return {
    declareUpload: (declaration) => send('POST', '/v1/uploads', declaration),
    confirmUpload: (id) => send('POST', `/v1/uploads/${encodeURIComponent(id)}/confirm`),
    document: (id) => send('GET', document(id)),
    documents: (query) => send('GET', `/v1/documents?${queryString(query)}`),
    explain: (id) => send('GET', `${document(id)}/explanation`),
    retry: (id) => send('POST', `${document(id)}/retry`),
    cancel: (id) => send('POST', `${document(id)}/cancel`),
    delete: (id) => send('DELETE', document(id)),
    search: (request) => send('POST', '/v1/search', request),
    limits: () => send('GET', '/v1/limits'),
    operator: {
      onTheRoad: (query) => send('GET', `/v1/operator/documents?${queryString(query)}`),
      findByRuns: (query) => send('GET', `/v1/operator/runs?${queryString(query)}`),
      poll: (id, asked) => send('POST', `${operated(id)}/poll`, asked),
      extend: (id, asked) => send('POST', `${operated(id)}/extend`, asked),
      fail: (id, asked) => send('POST', `${operated(id)}/fail`, asked),
      retry: (id, asked) => send('POST', `${operated(id)}/retry`, asked),
      cancel: (id, asked) => send('POST', `${operated(id)}/cancel`, asked),
    },
  };
}

const passing: ReadonlySet<ErrorCode> = new Set([
  'RATE_LIMITED',
  'SERVICE_UNAVAILABLE',
  'NOT_RUNNING',
]);

/** Every request of this API may be sent again, so both an overload and a restart of the server are waited out. */
function pauseBefore(error: unknown): number | undefined {
  if (!(error instanceof IntakeError)) return undefined;
  return passing.has(error.code) ? (error.retryAfterMs ?? DEFAULT_PAUSE_MS) : undefined;
}

async function exchange(url: string, request: RequestInit): Promise<unknown> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, { ...request, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
    text = await response.text();
  } catch (cause) {
    throw noAnswer(new URL(url), cause);
  }
  const body = parseJson(text);
  if (response.ok && body !== undefined) return body;
  throw problemError(response, body);
}

/** Of an address elsewhere nobody here knows whether anything should be running there. */
function noAnswer({ origin, hostname }: URL, cause: unknown): IntakeError {
  const refused = refusal.safeParse(cause).success;
  return refused && isLoopback(hostname)
    ? new IntakeError('NOT_RUNNING', { detail: `${origin} refuses the connection`, cause })
    : new IntakeError('SERVICE_UNAVAILABLE', { detail: `${origin} does not answer`, cause });
}

/** As `fetch` rejects when nobody listens. */
const refusal = z.object({ cause: z.object({ code: z.literal('ECONNREFUSED') }) });

const problemBody = z.object({
  code: z.string().refine(isErrorCode),
  errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
  reason: z.string().optional(),
});

function problemError(response: Response, body: unknown): IntakeError {
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
  const wait = retryAfter >= 0 ? { retryAfterMs: retryAfter * 1000 } : {};
  const problem = problemBody.safeParse(body).data;
  if (problem === undefined) {
    const code = response.status >= 500 ? 'SERVICE_UNAVAILABLE' : 'INTERNAL_ERROR';
    return new IntakeError(code, { detail: `unexpected answer ${response.status}`, ...wait });
  }
  const faults = problem.errors?.map(({ field, message }) => `${field}: ${message}`).join('\n');
  const detail = faults || problem.reason;
  return new IntakeError(problem.code, { ...(detail ? { detail } : {}), ...wait });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function queryString(query: Readonly<Record<string, unknown>>): URLSearchParams {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined) parameters.set(key, String(value));
  }
  return parameters;
}

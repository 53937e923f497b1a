/**
 * The only reader of the environment. `loadConfig` lists every fault at once and never prints a value.
 * `settings` is the single source of names, defaults and descriptions; README's table and `.env.example` are checked against it.
 */
import { z } from 'zod';
import { IntakeError } from './domain/errors.ts';

const seconds = (fallback: number) => z.coerce.number().int().positive().default(fallback);
/** Some plans allow less than one call a second. */
const rate = (fallback: number) => z.coerce.number().positive().default(fallback);
const count = (fallback: number) => z.coerce.number().int().positive().default(fallback);
const secret = (minLength: number) => z.string().min(minLength);
/** `new,old` during rotation: every key of the list has the least length. */
const secrets = (minLength: number) =>
  z
    .string()
    .refine(
      (list) => list.split(',').every((key) => key.trim().length >= minLength),
      `each key must have at least ${minLength} characters`,
    );
/** The same for 32 bytes each, in base64. */
const aesKeys = z
  .string()
  .refine(
    (list) => list.split(',').every((key) => Buffer.from(key.trim(), 'base64').length === 32),
    'each key must be 32 bytes in base64',
  );
/** Temporal joins the two parts of a version with a dot or a colon. */
const versionPart = z.string().regex(/^[A-Za-z0-9_-]+$/);
const httpUrl = z.url({ protocol: /^https?$/ });

/** One entry per environment variable; the SDKs' own `TEMPORAL_*` are read by `@temporalio/envconfig`. */
export const settings = z.object({
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).describe('Postgres with pgvector'),
  DATABASE_POOL_SIZE: count(10).describe('Connections per process'),

  SUPABASE_URL: httpUrl.describe(
    'Base URL of the Supabase project, for storage and the expected token issuer',
  ),
  SUPABASE_SERVICE_ROLE_KEY: secret(20).describe(
    'Service key (JWT or sb_secret_ form), for storage only',
  ),
  SUPABASE_BUCKET: z
    .string()
    .regex(/^[a-z0-9-]+$/)
    .default('files')
    .describe('Private bucket'),
  SUPABASE_JWT_SECRET: secret(32)
    .optional()
    .describe('Shared secret of HS256 tokens; or give SUPABASE_JWKS_URL'),
  SUPABASE_JWKS_URL: httpUrl.optional().describe('Key set of ES256 and RS256 tokens'),
  SUPABASE_JWT_ISSUER: z
    .string()
    .optional()
    .describe('Expected issuer; default `<SUPABASE_URL>/auth/v1`'),

  API_HOST: z.string().default('127.0.0.1').describe('Address the API listens on'),
  API_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65535)
    .default(8080)
    .describe('Port the API listens on; 0 takes a free one'),
  API_DRAIN_SECONDS: z.coerce
    .number()
    .int()
    .min(0)
    .default(5)
    .describe(
      'How long a stopping API still serves while its readiness sends new callers elsewhere',
    ),
  WORKER_HEALTH_HOST: z
    .string()
    .default('127.0.0.1')
    .describe('Address the worker tells its health on'),
  WORKER_HEALTH_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65535)
    .default(8081)
    .describe('Port of it, one for each worker of a machine; 0 takes a free one'),
  METRICS_HOST: z
    .string()
    .default('127.0.0.1')
    .describe('Address the metrics of API and worker are read at; nobody is asked for credentials'),
  METRICS_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65535)
    .optional()
    .describe('Their port, of one process each; without it there are none'),
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl
    .optional()
    .describe('Where traces go, by OTLP over HTTP; without it there are none'),
  PUBLIC_URL: httpUrl
    .optional()
    .describe('Address under which the parser reaches the webhook; without it results are polled'),
  TEMPORAL_UI_URL: httpUrl.optional().describe('Temporal UI, for links to runs'),
  TASK_QUEUE: z.string().min(1).default('intake').describe('Temporal task queue'),
  WORKER_DEPLOYMENT: versionPart
    .default('intake')
    .describe('Name under which Temporal knows the versions of the workers'),
  WORKER_BUILD_ID: versionPart
    .optional()
    .describe('Version of this worker; with it a run ends on the version that it began with'),
  LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('Least level that is logged'),

  WEBHOOK_TOKEN_KEY: secrets(32).describe(
    'Key of the tokens in webhook URLs; `new,old` during rotation',
  ),
  WEBHOOK_SIGNING_SECRET: secrets(16).describe(
    'Secret the parser signs webhooks with; `new,old` during rotation',
  ),

  PAYLOAD_ENCRYPTION: z
    .enum(['off', 'on'])
    .default('off')
    .describe('Whether payloads in Temporal are encrypted'),
  PAYLOAD_ENCRYPTION_KEYS: aesKeys
    .optional()
    .describe('Their keys, 32 bytes in base64; `new,old` during rotation, the first one writes'),

  LLAMA_CLOUD_API_KEY: secret(8).describe('LlamaParse key'),
  LLAMA_CLOUD_BASE_URL: httpUrl
    .default('https://api.cloud.llamaindex.ai')
    .describe('LlamaParse region'),
  LLAMA_PARSE_TIER: z
    .enum(['fast', 'cost_effective', 'agentic', 'agentic_plus'])
    .default('cost_effective')
    .describe('Tier'),
  LLAMA_PARSE_VERSION: z.string().default('2026-08-19').describe('Dated release of the tier'),

  PARSER_CALLS_PER_SECOND: rate(25).describe('Calls to the parser, of all workers together'),
  PARSER_CALLS_BURST: count(10).describe('Of those, at once after a quiet time'),
  PARSER_CALLS_AT_ONCE: count(8).describe('Calls to the parser under way at once, of one process'),

  EMBEDDINGS_URL: httpUrl
    .default('https://api.openai.com/v1')
    .describe('OpenAI-compatible endpoint'),
  EMBEDDINGS_API_KEY: secret(1).describe('Its key'),
  EMBEDDINGS_MODEL: z.string().default('text-embedding-3-small').describe('Model'),
  EMBEDDINGS_DIMENSIONS: z.coerce
    .number()
    .pipe(z.union([z.literal(384), z.literal(1536)]))
    .default(1536)
    .describe('Width of its vectors: 384 or 1536'),
  EMBEDDINGS_TOKENIZER: z
    .string()
    .default('cl100k_base')
    .describe('`cl100k_base` or the path of a tokenizer.json'),
  EMBEDDINGS_MAX_TOKENS: count(512).describe('Most tokens of a chunk, special tokens included'),
  EMBEDDINGS_BATCH_SIZE: count(256).describe('Chunks asked for, and written, at a time'),

  EMBEDDER_CALLS_PER_SECOND: rate(25).describe(
    'Calls to the embedding endpoint, of all processes together',
  ),
  EMBEDDER_CALLS_BURST: count(10).describe('Of those, at once after a quiet time'),
  EMBEDDER_CALLS_AT_ONCE: count(8).describe(
    'Calls to the embedding endpoint under way at once, of one process',
  ),

  UPLOAD_LIFETIME_SECONDS: seconds(7200).describe('How long we wait for the bytes'),
  UPLOAD_START_DELAY_SECONDS: seconds(120).describe('First look for an upload nobody confirmed'),
  UPLOAD_URL_LIFETIME_SECONDS: seconds(7200).describe(
    'Longest life of a signed upload URL, as the storage server is set',
  ),
  ERASE_SECOND_SWEEP_SECONDS: seconds(600).describe(
    'Second sweep, counted from when the last upload URL has expired',
  ),
  STORAGE_PATIENCE_SECONDS: seconds(604_800).describe(
    'How long a document waits for storage that is down or forbidden',
  ),
  STORAGE_BREAKER_SECONDS: seconds(60).describe(
    'How long the circuit breaker round blob reads stays open after five failures',
  ),
  PARSER_PATIENCE_SECONDS: seconds(86_400).describe(
    'How long a document waits for a parser that takes no jobs',
  ),
  EMBEDDER_PATIENCE_SECONDS: seconds(86_400).describe(
    'How long a document waits for an embedder that does not answer',
  ),
  PARSE_DEADLINE_SECONDS: seconds(3600).describe('Longest parse'),
  PARSE_POLL_FIRST_SECONDS: seconds(15).describe('First poll when the webhook stays silent'),
  PARSE_POLL_MAX_SECONDS: seconds(300).describe('Longest interval between polls'),
  PARSE_MAX_FAILED_PAGES_PERCENT: z.coerce
    .number()
    .min(0)
    .max(100)
    .default(5)
    .describe('Pages that may fail'),
  RECONCILE_EVERY_SECONDS: seconds(3600).describe(
    'How often rows are compared with Temporal and parse jobs',
  ),
  RECONCILE_THOROUGH_EVERY_SECONDS: seconds(86_400).describe(
    'How often everything that is stored is walked',
  ),

  MAX_FILE_BYTES: count(52_428_800).describe('Largest file'),
  MAX_PAGES: count(2000).describe('Most pages'),
  MAX_MARKDOWN_BYTES: count(52_428_800).describe('Most Markdown of one document'),
  MAX_UNFINISHED_UPLOADS: count(20).describe('Unfinished uploads an owner may have'),
  MAX_RESERVED_BYTES: count(524_288_000).describe('Bytes those may reserve'),
  MAX_REQUESTS_PER_MINUTE: count(60).describe('Requests an owner may send a minute'),
  VECTOR_INDEX_FROM_CHUNKS: count(10_000).describe(
    'Live chunks of an owner from which the vector index is used',
  ),
});

export type Config = z.output<typeof settings>;

/** How the local stack's JWT secret begins, so that nobody can sign in to production with a key of development. */
export const DEVELOPMENT_SECRET_PREFIX = 'dev-only-';

/** Of the command line, beside those above. */
export const cliSettings = z.object({
  INTAKE_URL: httpUrl
    .optional()
    .describe('API that the command line speaks to; default: the local stack of this folder'),
  INTAKE_TOKEN: z
    .string()
    .trim()
    .regex(/^[\x21-\x7e]+$/, 'Invalid token')
    .optional()
    .describe('Access token of the person who asks'),
});

export type CliConfig = z.output<typeof cliSettings>;

/** Of the codec server, beside those of the payloads' keys. */
export const codecServerSettings = z.object({
  CODEC_HOST: z.string().default('127.0.0.1').describe('Address the codec server listens on'),
  CODEC_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65535)
    .default(8082)
    .describe('Port the codec server listens on; 0 takes a free one'),
  CODEC_CORS_ORIGIN: httpUrl.describe(
    'Origin of the Temporal UI, the only page that may ask the codec server',
  ),
  CODEC_JWKS_URL: httpUrl.describe('Key set of the tokens of those who read payloads'),
  CODEC_JWT_ISSUER: secret(1).describe('Issuer of those tokens'),
  CODEC_JWT_AUDIENCE: secret(1).describe('Audience of those tokens'),
});

const codecServerConfig = codecServerSettings.extend({
  PAYLOAD_ENCRYPTION_KEYS: aesKeys,
  LOG_LEVEL: settings.shape.LOG_LEVEL,
});

export type CodecServerConfig = z.output<typeof codecServerConfig>;

export function loadCodecServerConfig(
  environment: NodeJS.ProcessEnv = process.env,
): CodecServerConfig {
  return load(codecServerConfig, environment);
}

/** Reads and checks the environment. Throws `CONFIGURATION_INVALID` with all faults, one line each, and no value. */
export function loadConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const known = pick(settings, environment);
  const result = settings.safeParse(known);
  const faults = faultsOf(result, known);
  if (known['SUPABASE_JWT_SECRET'] === undefined && known['SUPABASE_JWKS_URL'] === undefined) {
    faults.push('SUPABASE_JWT_SECRET or SUPABASE_JWKS_URL: one of them is needed');
  }
  if (known['PAYLOAD_ENCRYPTION'] === 'on' && known['PAYLOAD_ENCRYPTION_KEYS'] === undefined) {
    faults.push('PAYLOAD_ENCRYPTION_KEYS: needed while PAYLOAD_ENCRYPTION is on');
  }
  faults.push(...developmentKeyFaults(known));
  if (!result.success || faults.length > 0) throw invalid(faults);
  return result.data;
}

/** What the command line needs to speak to the API. */
export function loadCliConfig(environment: NodeJS.ProcessEnv = process.env): CliConfig {
  return load(cliSettings, environment);
}

/** What the command line needs to migrate. */
export function loadDatabaseConfig(
  environment: NodeJS.ProcessEnv = process.env,
): Pick<Config, 'DATABASE_URL'> {
  return load(settings.pick({ DATABASE_URL: true }), environment);
}

/** What the command line needs to ask for the versions of the workers. */
export function loadVersionConfig(
  environment: NodeJS.ProcessEnv = process.env,
): Pick<Config, 'TASK_QUEUE' | 'WORKER_DEPLOYMENT'> {
  return load(settings.pick({ TASK_QUEUE: true, WORKER_DEPLOYMENT: true }), environment);
}

const upgradeSettings = settings.pick({
  DATABASE_URL: true,
  SUPABASE_URL: true,
  SUPABASE_SERVICE_ROLE_KEY: true,
  SUPABASE_BUCKET: true,
  UPLOAD_LIFETIME_SECONDS: true,
  MAX_FILE_BYTES: true,
  MAX_MARKDOWN_BYTES: true,
});

/** What the command line needs to take over an installation of the original system. */
export function loadUpgradeConfig(
  environment: NodeJS.ProcessEnv = process.env,
): z.output<typeof upgradeSettings> {
  return load(upgradeSettings, environment);
}

function load<Schema extends z.ZodObject>(
  schema: Schema,
  environment: NodeJS.ProcessEnv,
): z.output<Schema> {
  const known = pick(schema, environment);
  const result = schema.safeParse(known);
  if (!result.success) throw invalid(faultsOf(result, known));
  return result.data;
}

/** Empty counts as not set. */
function pick(schema: z.ZodObject, environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.keys(schema.shape).map((key) => [
      key,
      environment[key] === '' ? undefined : environment[key],
    ]),
  );
}

function faultsOf({ error }: z.ZodSafeParseResult<unknown>, known: NodeJS.ProcessEnv): string[] {
  const faults = error?.issues.map(({ path, message }) => {
    const key = path.join('.');
    return `${key}: ${known[key] === undefined ? 'not set' : message}`;
  });
  return faults ?? [];
}

function invalid(faults: readonly string[]): IntakeError {
  return new IntakeError('CONFIGURATION_INVALID', { detail: faults.join('\n') });
}

/** A development key is good on loopback only. */
function developmentKeyFaults(environment: NodeJS.ProcessEnv): string[] {
  if (!environment['SUPABASE_JWT_SECRET']?.startsWith(DEVELOPMENT_SECRET_PREFIX)) return [];
  const hosts = {
    API_HOST: environment['API_HOST'],
    PUBLIC_URL: hostOf(environment['PUBLIC_URL']),
    SUPABASE_URL: hostOf(environment['SUPABASE_URL']),
  };
  return Object.entries(hosts)
    .filter(([, host]) => host !== undefined && !isLoopback(host))
    .map(
      ([key]) => `${key}: not on loopback, where the development SUPABASE_JWT_SECRET is refused`,
    );
}

/** Names and addresses under which only this machine is reached. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/.test(host);
}

function hostOf(url: string | undefined): string | undefined {
  return url === undefined ? undefined : URL.parse(url)?.hostname;
}

/**
 * What is started here and what is given from outside, decided by the environment alone, and the complete
 * environment of API and worker that follows from it. Everything that is missing is named at once.
 */
import { isLoopback, settings } from '../config.ts';
import type { DevSecrets } from './dev-secrets.ts';
import type { Ports } from './ports.ts';

/** A part is given from outside as soon as one of its variables is: the rest of them is then asked for by `loadConfig`. */
const decidingVariables = {
  postgres: ['DATABASE_URL'],
  temporal: ['TEMPORAL_ADDRESS', 'TEMPORAL_PROFILE', 'TEMPORAL_CONFIG_FILE'],
  storage: [
    'SUPABASE_URL',
    'SUPABASE_SERVICE_ROLE_KEY',
    'SUPABASE_JWT_SECRET',
    'SUPABASE_JWKS_URL',
  ],
  parser: ['LLAMA_CLOUD_API_KEY', 'LLAMA_CLOUD_BASE_URL'],
  embedding: ['EMBEDDINGS_URL', 'EMBEDDINGS_API_KEY'],
} as const;
export type Part = keyof typeof decidingVariables;

type Environment = Readonly<Record<string, string | undefined>>;

export interface Given {
  readonly part: Part;
  /** The variables that gave it. */
  readonly variables: readonly string[];
}

/** The parts that nothing of ours is started for. */
export function givenParts(environment: Environment): readonly Given[] {
  return (Object.keys(decidingVariables) as Part[])
    .map((part) => ({ part, variables: decidingVariables[part].filter((key) => environment[key]) }))
    .filter(({ variables }) => variables.length > 0);
}

export interface PlanInput {
  readonly environment: Environment;
  readonly ports: Ports;
  readonly secrets: DevSecrets;
  readonly temporalProfileFile: string;
  /** Absent where the embedder is given. */
  readonly tokenizerFile: string | undefined;
}

/** Nobody bills or limits a call to this machine. */
const LOCAL_CALLS_PER_SECOND = '1000';

/** Without the password of our own Postgres, which is known only when that runs. */
export function serviceEnvironment(input: PlanInput): NodeJS.ProcessEnv {
  const { environment, ports, secrets } = input;
  const given = new Set(givenParts(environment).map(({ part }) => part));
  const merged: NodeJS.ProcessEnv = { ...environment };
  for (const part of Object.keys(decidingVariables) as Part[]) {
    if (!given.has(part)) takeOver(part, merged, input);
  }
  const host = merged['API_HOST'] || '127.0.0.1';
  merged['API_PORT'] = `${ports.api}`;
  merged['WEBHOOK_TOKEN_KEY'] ||= secrets.webhookTokenKey;
  if (!given.has('parser')) {
    merged['PUBLIC_URL'] = apiUrl(host, ports.api);
    merged['WEBHOOK_SIGNING_SECRET'] = secrets.webhookSigningSecret;
  } else if (!merged['PUBLIC_URL']) {
    // Results are polled then; no webhook can come that this could verify.
    merged['WEBHOOK_SIGNING_SECRET'] ||= secrets.webhookSigningSecret;
  }
  merged['API_DRAIN_SECONDS'] ||= '0'; // nobody stands between a caller and this API
  merged['WORKER_HEALTH_PORT'] ||= '0'; // the supervisor watches the process itself
  // One person trying things out on one's own machine is no flood.
  merged['MAX_REQUESTS_PER_MINUTE'] ||= '1000';
  return { ...merged, ...withoutProxy(environment) };
}

/** Puts our own part's settings in the place of whatever the caller's environment says about it. */
function takeOver(part: Part, merged: NodeJS.ProcessEnv, input: PlanInput): void {
  const { ports, secrets } = input;
  switch (part) {
    case 'postgres':
      remove(merged, /^PG[A-Z]+$/); // pg reads PGSSLMODE and others beside the URL
      merged['DATABASE_URL'] = `postgres://postgres@127.0.0.1:${ports.postgres}/postgres`;
      break;
    case 'temporal':
      remove(merged, /^TEMPORAL_/);
      merged['TEMPORAL_ADDRESS'] = `127.0.0.1:${ports.temporal}`;
      merged['TEMPORAL_NAMESPACE'] = 'default';
      merged['TEMPORAL_CONFIG_FILE'] = input.temporalProfileFile;
      merged['TEMPORAL_UI_URL'] = `http://127.0.0.1:${ports.temporalUi}`;
      break;
    case 'storage':
      merged['SUPABASE_URL'] = loopbackUrl(ports.storage);
      merged['SUPABASE_SERVICE_ROLE_KEY'] = secrets.serviceKey;
      merged['SUPABASE_JWT_SECRET'] = secrets.jwtSecret;
      delete merged['SUPABASE_JWT_ISSUER'];
      break;
    case 'parser':
      merged['LLAMA_CLOUD_BASE_URL'] = loopbackUrl(ports.parser);
      merged['LLAMA_CLOUD_API_KEY'] = secrets.parserKey;
      merged['PARSER_CALLS_PER_SECOND'] ||= LOCAL_CALLS_PER_SECOND;
      break;
    case 'embedding':
      merged['EMBEDDINGS_URL'] = `${loopbackUrl(ports.embedding)}/v1`;
      merged['EMBEDDINGS_API_KEY'] = secrets.embeddingsKey;
      merged['EMBEDDINGS_MODEL'] = 'all-MiniLM-L6-v2';
      merged['EMBEDDINGS_DIMENSIONS'] = '384';
      merged['EMBEDDINGS_TOKENIZER'] = input.tokenizerFile;
      merged['EMBEDDINGS_MAX_TOKENS'] = '256';
      merged['EMBEDDINGS_BATCH_SIZE'] = '8';
      merged['EMBEDDER_CALLS_PER_SECOND'] ||= LOCAL_CALLS_PER_SECOND;
      break;
    default:
      part satisfies never;
  }
}

/** What API and worker read of an environment, and nothing else of the person's. */
export function settingsIn(environment: Environment): Environment {
  const isRead = (key: string) => Object.hasOwn(settings.shape, key) || key.startsWith('TEMPORAL_');
  return Object.fromEntries(Object.entries(environment).filter(([key]) => isRead(key)));
}

/** gRPC and fetch would otherwise send even loopback calls through a company's proxy. */
export function withoutProxy(environment: Environment): Readonly<Record<string, string>> {
  const given = environment['no_proxy'] || environment['NO_PROXY'];
  const hosts = [given, '127.0.0.1', 'localhost', '::1'].filter((host) => host).join(',');
  return { no_proxy: hosts, NO_PROXY: hosts };
}

/** Where a client on this machine reaches the API: an address that means all of them is no address to call. */
export function apiUrl(host: string, port: number): string {
  const reached = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${reached.includes(':') ? `[${reached}]` : reached}:${port}`;
}

/** A database elsewhere may be somebody's production: it is neither migrated nor filled without being told. */
export function isRemoteDatabase(databaseUrl: string): boolean {
  const url = URL.parse(databaseUrl);
  const host = url?.searchParams.get('host') ?? url?.hostname ?? '';
  return !(host === '' || host.startsWith('/') || isLoopback(host));
}

export function loopbackUrl(port: number): string {
  return `http://127.0.0.1:${port}`;
}

function remove(environment: NodeJS.ProcessEnv, pattern: RegExp): void {
  for (const key of Object.keys(environment)) {
    if (pattern.test(key)) delete environment[key];
  }
}

/** From an environment to findings: the configuration first, since nothing can be tried without it. */
import { type Config, loadCliConfig, loadConfig } from '../../config.ts';
import { createPool } from '../../db/pool.ts';
import { IntakeError } from '../../domain/errors.ts';
import { SupabaseObjectStore } from '../../storage/supabase-object-store.ts';
import { createTemporalClient } from '../../temporal/client.ts';
import { dataConverterOf } from '../../temporal/data-converter.ts';
import { allChecks } from './all-checks.ts';
import type { Scene } from './check.ts';
import { examine, type Finding } from './examine.ts';

/** Longest wait for one answer of storage. */
const STORAGE_TIMEOUT_MS = 10_000;

const name = 'configuration';
const mend = 'Set these keys. README, Configuration, and .env.example say what each means.';

export async function diagnose(environment: NodeJS.ProcessEnv): Promise<readonly Finding[]> {
  let config: Config;
  let apiUrl: string;
  try {
    config = loadConfig(environment);
    apiUrl = loadCliConfig(environment).INTAKE_URL ?? ownApiUrl(config);
  } catch (error) {
    if (!(error instanceof IntakeError)) throw error;
    const detail = error.detail ?? error.message;
    const invalid = { name, outcome: 'invalid', detail, mend, ms: 0 } as const;
    const notTried = { outcome: 'not tried', because: name } as const;
    return [invalid, ...allChecks().map((check) => ({ name: check.name, ...notTried }))];
  }
  const scene = openScene(config, apiUrl, environment);
  try {
    const findings = await examine(allChecks(), scene);
    return [{ name, outcome: 'ok', fact: 'complete', ms: 0 }, ...findings];
  } finally {
    await Promise.all([scene.pool.end(), scene.temporal.close()]);
  }
}

/** Where it listens when it is on this machine. */
function ownApiUrl({ API_HOST, API_PORT }: Config): string {
  const host = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }[API_HOST] ?? API_HOST;
  return `http://${host}:${API_PORT}`;
}

function openScene(config: Config, apiUrl: string, environment: NodeJS.ProcessEnv): Scene {
  return {
    config,
    apiUrl: apiUrl.replace(/\/+$/, ''),
    pool: createPool({
      connectionString: config.DATABASE_URL,
      size: 2,
      onIdleError: () => undefined, // the next check meets it
    }),
    temporal: createTemporalClient({
      environment,
      dataConverter: dataConverterOf(config),
      onFault: () => undefined, // the next check meets it
    }),
    objectStore: new SupabaseObjectStore({
      url: config.SUPABASE_URL,
      serviceRoleKey: config.SUPABASE_SERVICE_ROLE_KEY,
      bucket: config.SUPABASE_BUCKET,
      callTimeoutMs: STORAGE_TIMEOUT_MS,
      transferTimeoutMs: STORAGE_TIMEOUT_MS,
    }),
  };
}

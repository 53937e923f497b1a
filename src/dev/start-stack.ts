/** Brings the local stack up: independent parts together, each told of when it is ready. */
import { migrate, pendingMigrations } from '../db/migrate.ts';
import { createPool } from '../db/pool.ts';
import { IntakeError } from '../domain/errors.ts';
import { ensureBucket } from '../storage/ensure-bucket.ts';
import type { Child } from './child-process.ts';
import type { Plan } from './prepare-stack.ts';
import { loopbackUrl, type Part, settingsIn } from './stack-plan.ts';
import {
  apiService,
  embeddingService,
  parserService,
  postgresService,
  storageService,
  temporalService,
  workerService,
} from './stack-services.ts';
import { type StateFolder, writePrivately } from './state-folder.ts';
import type { Service, Supervisor } from './supervisor.ts';

/** Whoever takes work stops first, whoever keeps data last. */
export const stopOrder = [
  ['api'],
  ['worker'],
  ['storage', 'parser', 'embedding'],
  ['temporal'],
  ['postgres'],
] as const;

export interface StackContext {
  readonly plan: Plan;
  readonly folder: StateFolder;
  readonly supervisor: Supervisor;
  /** The person allows changes to what is not on this machine. */
  readonly mayChangeRemote: boolean;
  /** Told of each part that is ready, with what is worth knowing of it. */
  ready(part: string, fact: string): void;
}

export async function startStack(context: StackContext): Promise<void> {
  const { plan, folder, supervisor, ready } = context;
  const database = bringDatabase(context);
  const parts = Promise.all([
    database,
    bring(context, 'temporal', temporalService(plan, folder)),
    bringStorage(context),
    bring(context, 'parser', parserService(plan, folder)),
    bring(context, 'embedding', embeddingService(plan, folder)),
  ]);
  const startApi = async () => {
    const environment = {
      ...plan.environment,
      DATABASE_URL: await database,
      METRICS_PORT: `${plan.ports.apiMetrics}`,
    };
    await supervisor.start(apiService(environment, plan.apiUrl, folder));
    ready('api', plan.apiUrl);
  };
  // Documents in flight go on at once: a part that is not there yet would count as a failure of it.
  const startWorker = async () => {
    const [databaseUrl] = await parts;
    const environment = {
      ...plan.environment,
      DATABASE_URL: databaseUrl,
      METRICS_PORT: `${plan.ports.workerMetrics}`,
    };
    await supervisor.start(workerService(environment, folder));
    ready('worker', '');
  };
  await Promise.all([startApi(), startWorker()]);
  const environment = { ...plan.environment, DATABASE_URL: await database };
  writePrivately(folder.environmentFile, JSON.stringify(settingsIn(environment)));
}

/** Starts a part of ours; one that is given from outside is only named. */
async function bring<Started extends Child>(
  { plan, supervisor, ready }: StackContext,
  part: Part,
  service: Service<Started>,
): Promise<Started | undefined> {
  const given = plan.given.find((other) => other.part === part);
  if (given !== undefined) {
    ready(part, `given by ${given.variables.join(', ')}`);
    return undefined;
  }
  const started = await supervisor.start(service);
  ready(
    part,
    part === 'temporal' ? loopbackUrl(plan.ports.temporalUi) : `127.0.0.1:${plan.ports[part]}`,
  );
  return started;
}

/** Resolves with the URL of a database that has our schema. */
async function bringDatabase(context: StackContext): Promise<string> {
  const { plan, folder, ready } = context;
  const ours = await bring(context, 'postgres', postgresService(plan, folder));
  const url = ours?.url ?? plan.config.DATABASE_URL;
  if (plan.databaseIsRemote && !context.mayChangeRemote) {
    await assertMigrated(url);
    ready('schema', 'up to date');
  } else {
    const { length } = await migrate(url);
    ready('schema', length === 0 ? 'up to date' : `${length} migrations applied`);
  }
  return url;
}

async function assertMigrated(databaseUrl: string): Promise<void> {
  const pool = createPool({ connectionString: databaseUrl, size: 1, onIdleError: () => undefined });
  try {
    const pending = await pendingMigrations(pool);
    if (pending.length === 0) return;
    throw new IntakeError('SCHEMA_OUTDATED', {
      detail: `DATABASE_URL: the database is not on this machine and lacks ${pending.length} migrations (${pending.join(', ')}). Start with --yes to apply them.`,
    });
  } catch (error) {
    if (error instanceof IntakeError || !(error instanceof Error)) throw error;
    const detail = `DATABASE_URL: ${error.message}`; // a wrong password, an unknown database, …
    throw new IntakeError('DATABASE_UNAVAILABLE', { detail, cause: error });
  } finally {
    await pool.end();
  }
}

async function bringStorage(context: StackContext): Promise<void> {
  const { plan, folder } = context;
  const ours = await bring(context, 'storage', storageService(plan, folder));
  if (ours === undefined && !context.mayChangeRemote) return;
  const { SUPABASE_URL, SUPABASE_SERVICE_ROLE_KEY, SUPABASE_BUCKET, MAX_FILE_BYTES } = plan.config;
  await ensureBucket(
    { url: SUPABASE_URL, serviceRoleKey: SUPABASE_SERVICE_ROLE_KEY, bucket: SUPABASE_BUCKET },
    { maxFileBytes: MAX_FILE_BYTES },
  );
}

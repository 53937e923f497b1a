/**
 * Everything the sides run on, in a folder that is thrown away: Intake's local stack with a second worker, the two
 * controls, one Postgres for all, and the stand-ins with their fault scripts. Each program is a process of its own.
 */
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPool, type Pool } from '../../src/db/pool.ts';
import { createFaultClient, type FaultClient } from '../../src/dev/fault-client.ts';
import { startPostgres } from '../../src/dev/postgres-server.ts';
import { type Plan, prepareStack } from '../../src/dev/prepare-stack.ts';
import { withoutProxy } from '../../src/dev/stack-plan.ts';
import { workerService } from '../../src/dev/stack-services.ts';
import { startStack, stopOrder } from '../../src/dev/start-stack.ts';
import { stateFolder } from '../../src/dev/state-folder.ts';
import { endsWithUs } from '../../test/support/ends-with-us.ts';
import { controlNames, processesOf, startControlSide } from './control-side.ts';
import type { Party } from './fault-kinds.ts';
import { createIntakeSide } from './intake-side.ts';
import { createPrograms, type Programs } from './programs.ts';
import type { Side, SideName } from './side.ts';

export interface Laboratory {
  readonly sides: readonly Side[];
  readonly programs: Programs;
  readonly faults: Readonly<Record<Party, FaultClient>>;
  close(): Promise<void>;
}

export interface LaboratoryOptions {
  readonly sides: readonly SideName[];
  readonly uploadLifetimeSeconds: number;
  readonly controlPollMs: number;
}

const BREAKER_SECONDS = 1;
const PARSER_MS = 200;
const EMBEDDER_MS = 30;

export async function openLaboratory(options: LaboratoryOptions): Promise<Laboratory> {
  Object.assign(process.env, withoutProxy(process.env));
  const root = await mkdtemp(join(tmpdir(), 'intake-lab-'));
  // However this command ends, Ctrl-C included.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => process.exit(1));
  }
  process.once('exit', () => rmSync(root, { recursive: true, force: true }));
  const postgres = await startPostgres({
    dataDirectory: join(root, 'postgres'),
    logFile: join(root, 'postgres.log'),
    onSpawn: endsWithUs,
  });
  const programs = createPrograms(stateFolder(join(root, 'stack')));
  const pools: Pool[] = [];
  const close = async () => {
    await programs.supervisor.stop([controlNames.flatMap(processesOf), ['worker-2'], ...stopOrder]);
    await Promise.all(pools.map((pool) => pool.end()));
    await postgres.stop();
  };
  try {
    const plan = await startIntake(programs, postgres.url, options);
    const faults = faultClients(plan);
    await steadyTimes(faults);
    const controls = options.sides.filter((name) => name !== 'intake');
    const sides: Side[] = [];
    const poolOf = (connectionString: string) => {
      const pool = createPool({ connectionString, size: 4, onIdleError: () => undefined });
      pools.push(pool);
      return pool;
    };
    for (const name of controls) {
      sides.push(
        await startControlSide(name, {
          ...{ programs, plan, poolOf, serverUrl: postgres.url },
          pollMs: options.controlPollMs,
          breakerMs: BREAKER_SECONDS * 1_000,
        }),
      );
    }
    if (options.sides.includes('intake')) {
      sides.push(createIntakeSide(plan, poolOf(postgres.url), programs));
    }
    return { sides, programs, faults, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The local stack's plan with the limits of one person lifted and its waits shortened, and one worker more. */
async function startIntake(
  { folder, supervisor }: Programs,
  databaseUrl: string,
  { uploadLifetimeSeconds }: LaboratoryOptions,
): Promise<Plan> {
  const { PATH, HOME, TMPDIR } = process.env;
  const prepared = await prepareStack({ PATH, HOME, TMPDIR, DATABASE_URL: databaseUrl }, folder);
  const environment = {
    ...prepared.environment,
    EMBEDDINGS_MODEL: 'deterministic-384',
    MAX_REQUESTS_PER_MINUTE: '1000000',
    UPLOAD_LIFETIME_SECONDS: `${uploadLifetimeSeconds}`,
    UPLOAD_START_DELAY_SECONDS: '10',
    STORAGE_BREAKER_SECONDS: `${BREAKER_SECONDS}`,
    PARSE_POLL_FIRST_SECONDS: '5',
    PARSE_POLL_MAX_SECONDS: '20',
  };
  const plan = { ...prepared, environment };
  await startStack({ plan, folder, supervisor, mayChangeRemote: false, ready: () => undefined });
  const second = workerService(environment, stateFolder(join(folder.root, 'second')));
  await supervisor.start({ ...second, name: 'worker-2' });
  return plan;
}

function faultClients({ config }: Plan): Laboratory['faults'] {
  return {
    storage: createFaultClient(config.SUPABASE_URL),
    parser: createFaultClient(config.LLAMA_CLOUD_BASE_URL),
    embedder: createFaultClient(config.EMBEDDINGS_URL),
  };
}

/** What parser and embedder take for anybody's document. */
async function steadyTimes({ parser, embedder }: Laboratory['faults']): Promise<void> {
  const delay = (operation: string, ms: number) =>
    ({ operation, times: 'always', effect: { kind: 'delay', ms } }) as const;
  await parser.add(delay('parse.run', PARSER_MS));
  await embedder.add(delay('embeddings.create', EMBEDDER_MS));
}

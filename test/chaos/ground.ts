/**
 * The ground of a chaos run: all of Intake as `npm start` runs it, every part a process that can be killed, paused and
 * started again, and a wire before every server. Nothing in the product knows of it: the wires stand in its addresses.
 */
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { migrate } from '../../src/db/migrate.ts';
import { createPool, type Pool } from '../../src/db/pool.ts';
import { mintUserToken } from '../../src/dev/dev-identity.ts';
import { createFaultClient, type FaultClient } from '../../src/dev/fault-client.ts';
import type { RecordedCall } from '../../src/dev/fault-rules.ts';
import { type Plan, prepareStack } from '../../src/dev/prepare-stack.ts';
import { loopbackUrl } from '../../src/dev/stack-plan.ts';
import {
  apiService,
  embeddingService,
  parserService,
  postgresService,
  storageService,
  temporalService,
  workerService,
} from '../../src/dev/stack-services.ts';
import { type StateFolder, stateFolder } from '../../src/dev/state-folder.ts';
import { ensureBucket } from '../../src/storage/ensure-bucket.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { SupabaseObjectStore } from '../../src/storage/supabase-object-store.ts';
import { createPerson, type Person } from '../support/person.ts';
import { type Program, program } from '../support/stack.ts';
import { type Checkpoint, createCheckpoint } from './wires/checkpoint.ts';
import { openHttpWire } from './wires/http-wire.ts';
import { openPostgresWire } from './wires/postgres-wire.ts';
import { openTemporalWire } from './wires/temporal-wire.ts';
import type { Wire } from './wires/wire.ts';

export const servers = ['postgres', 'temporal', 'storage', 'parser', 'embedding'] as const;
export type Server = (typeof servers)[number];
/** Whose requests are counted: the parser's are its webhooks. */
export type Worker = 'worker' | 'second worker';
export type Caller = Worker | 'api' | 'parser';
export type Target = Worker | 'api' | Server;

export interface Ledgers {
  readonly parser: readonly RecordedCall[];
  readonly embedder: readonly RecordedCall[];
}

export interface Ground {
  readonly pool: Pool;
  readonly temporal: Client;
  readonly objectStore: ObjectStore;
  readonly programs: Readonly<Record<Target, Program>>;
  readonly checkpoints: Readonly<Record<Caller, Checkpoint>>;
  readonly faults: Readonly<Record<'storage' | 'parser' | 'embedding', FaultClient>>;
  /** All wires that lead to or from a part. */
  wiresOf(target: Target): readonly Wire[];
  /** What the vendors were asked for since the ground was laid, over their restarts. */
  ledgers(): Promise<Ledgers>;
  /** SIGKILL; what a stand-in remembers of its calls is kept. */
  kill(target: Target): Promise<void>;
  /** SIGSTOP or SIGCONT, to a part and all that it started. */
  signal(target: Target, signal: 'SIGSTOP' | 'SIGCONT'): void;
  /** Parts that nobody struck and that are gone all the same. */
  endedByThemselves(): readonly Target[];
  person(): Promise<Person>;
  /** Everybody so far, by their id. */
  readonly persons: ReadonlyMap<string, Person>;
  /** What API and workers have written into their logs. */
  logs(): Promise<string>;
  /** Where logs and data lie. */
  readonly folder: string;
  /** Ends everything; what lies in its folder is removed unless it is to be looked into. */
  close(options?: { readonly keep: boolean }): Promise<void>;
}

export interface GroundOptions {
  /** Configuration of API and workers besides the usual of chaos runs. */
  readonly environment?: Readonly<Record<string, string>>;
}

const usual = {
  EMBEDDINGS_MODEL: 'deterministic-384',
  EMBEDDINGS_BATCH_SIZE: '4',
  MAX_UNFINISHED_UPLOADS: '100000',
  MAX_RESERVED_BYTES: '100000000000',
  MAX_REQUESTS_PER_MINUTE: '1000000',
  // Nobody but a confirm wakes a document.
  UPLOAD_START_DELAY_SECONDS: '3600',
  // A webhook that a fault swallowed is made good soon.
  PARSE_POLL_FIRST_SECONDS: '5',
};

/** API and worker run; the second worker is started by whoever needs it. */
export async function layGround({ environment = {} }: GroundOptions = {}): Promise<Ground> {
  const root = await mkdtemp(join(tmpdir(), 'intake-chaos-'));
  const folder = stateFolder(root);
  const remove = () => rmSync(root, { recursive: true, force: true });
  process.once('exit', remove); // however this command ends
  await mkdir(join(root, 'tmp'));
  const { PATH, HOME } = process.env;
  const plan = await prepareStack({ PATH, HOME, TMPDIR: join(root, 'tmp') }, folder);
  const world = await startServers(plan, folder);
  const checkpoints = {
    worker: createCheckpoint(),
    'second worker': createCheckpoint(),
    api: createCheckpoint(),
    parser: createCheckpoint(),
  };
  const wires = {
    worker: await wiresFor(plan, checkpoints.worker),
    'second worker': await wiresFor(plan, checkpoints['second worker']),
    api: await wiresFor(plan, checkpoints.api),
  };
  const webhook = await openHttpWire({
    name: 'webhook',
    port: plan.ports.api,
    checkpoint: checkpoints.parser,
  });
  const environmentOf = (who: keyof typeof wires) => ({
    ...plan.environment,
    ...usual,
    ...addressesOf(wires[who], world.databaseUrl),
    SUPABASE_JWT_ISSUER: `${plan.config.SUPABASE_URL}/auth/v1`,
    PUBLIC_URL: loopbackUrl(webhook.port),
    ...environment,
  });
  const second = stateFolder(join(root, 'second'));
  const programs: Record<Target, Program> = {
    ...world.programs,
    api: program(apiService(environmentOf('api'), plan.apiUrl, folder)),
    worker: program(workerService(environmentOf('worker'), folder)),
    'second worker': program(workerService(environmentOf('second worker'), second)),
  };
  await programs.api.start();
  await programs.worker.start();

  const pool = createPool({
    connectionString: world.databaseUrl,
    size: 5,
    onIdleError: () => undefined, // Postgres is killed on purpose
  });
  const connection = await Connection.connect({ address: `127.0.0.1:${plan.ports.temporal}` });
  const { ledgers, keep } = ledgersOver(world.faults);
  const persons = new Map<string, Person>();
  return {
    pool,
    temporal: new Client({ connection }),
    objectStore: new SupabaseObjectStore(storageOf(plan)),
    programs,
    checkpoints,
    faults: world.faults,
    wiresOf(target) {
      if (target === 'api') return [...Object.values(wires.api), webhook];
      if (target === 'worker' || target === 'second worker') return Object.values(wires[target]);
      return Object.values(wires).map((ofOne) => ofOne[target]);
    },
    ledgers,
    async kill(target) {
      if (target === 'parser' || target === 'embedding') await keep(target);
      await programs[target].kill();
    },
    signal: (target, signal) => void process.kill(-programs[target].pid, signal),
    endedByThemselves: () =>
      (Object.keys(programs) as Target[]).filter((target) => isGone(programs[target])),
    async person() {
      const ownerId = randomUUID();
      const { SUPABASE_URL: supabaseUrl } = plan.config;
      const token = await mintUserToken(plan.secrets.jwtSecret, { id: ownerId, supabaseUrl });
      const person = createPerson(plan.apiUrl, ownerId, token);
      persons.set(ownerId, person);
      return person;
    },
    persons,
    async logs() {
      const files = [folder.logFile('api'), folder.logFile('worker'), second.logFile('worker')];
      const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
      return texts.join('');
    },
    folder: root,
    async close({ keep: isKept } = { keep: false }) {
      await connection.close();
      await pool.end();
      // All of it is thrown away.
      await Promise.all(Object.values(programs).map((running) => running.kill()));
      const open = Object.values(wires).flatMap((ofOne) => Object.values(ofOne));
      await Promise.all([webhook, ...open].map((wire) => wire.close()));
      process.off('exit', remove);
      if (!isKept) remove();
    },
  };
}

function isGone(started: Program): boolean {
  let pid: number;
  try {
    ({ pid } = started);
  } catch {
    return false; // we have ended it
  }
  try {
    return !process.kill(pid, 0);
  } catch {
    return true;
  }
}

async function startServers(plan: Plan, folder: StateFolder) {
  let databaseUrl = '';
  const postgres = postgresService(plan, folder);
  const programs = {
    postgres: program({
      name: 'postgres',
      async start(onSpawn) {
        const started = await postgres.start(onSpawn);
        databaseUrl = started.url;
        return started;
      },
    }),
    temporal: program(temporalService(plan, folder)),
    storage: program(storageService(plan, folder)),
    parser: program(parserService(plan, folder)),
    embedding: program(embeddingService(plan, folder)),
  };
  await Promise.all(Object.values(programs).map((server) => server.start()));
  await migrate(databaseUrl);
  await ensureBucket(storageOf(plan), { maxFileBytes: plan.config.MAX_FILE_BYTES });
  const faults = {
    storage: createFaultClient(plan.config.SUPABASE_URL),
    parser: createFaultClient(plan.config.LLAMA_CLOUD_BASE_URL),
    embedding: createFaultClient(plan.config.EMBEDDINGS_URL),
  };
  return { databaseUrl, programs, faults };
}

function storageOf({ config }: Plan) {
  return {
    url: config.SUPABASE_URL,
    serviceRoleKey: config.SUPABASE_SERVICE_ROLE_KEY,
    bucket: config.SUPABASE_BUCKET,
  };
}

type Wires = Readonly<Record<Server, Wire>>;

/** One wire to each server, all with the same count. */
async function wiresFor({ ports }: Plan, checkpoint: Checkpoint): Promise<Wires> {
  const http = (name: 'storage' | 'parser' | 'embedding') =>
    openHttpWire({ name, port: ports[name], checkpoint });
  return {
    postgres: await openPostgresWire({ port: ports.postgres, checkpoint }),
    temporal: await openTemporalWire({ port: ports.temporal, checkpoint }),
    storage: await http('storage'),
    parser: await http('parser'),
    embedding: await http('embedding'),
  };
}

function addressesOf(wires: Wires, databaseUrl: string) {
  const database = new URL(databaseUrl);
  database.port = `${wires.postgres.port}`;
  return {
    DATABASE_URL: database.href,
    TEMPORAL_ADDRESS: `127.0.0.1:${wires.temporal.port}`,
    SUPABASE_URL: loopbackUrl(wires.storage.port),
    LLAMA_CLOUD_BASE_URL: loopbackUrl(wires.parser.port),
    EMBEDDINGS_URL: `${loopbackUrl(wires.embedding.port)}/v1`,
  };
}

/** A stand-in keeps its ledger in memory: it is read before the stand-in is killed. */
function ledgersOver(faults: Ground['faults']) {
  const kept = { parser: [] as RecordedCall[], embedding: [] as RecordedCall[] };
  const read = async (part: 'parser' | 'embedding') => [
    ...kept[part],
    ...(await faults[part].ledger()).calls,
  ];
  return {
    async keep(part: 'parser' | 'embedding') {
      kept[part] = await read(part);
    },
    async ledgers(): Promise<Ledgers> {
      return { parser: await read('parser'), embedder: await read('embedding') };
    },
  };
}

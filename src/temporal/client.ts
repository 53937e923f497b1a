/** Connection to Temporal by the SDK's standard environment (`TEMPORAL_*`, TOML profiles): local, own cluster and Cloud alike. */
import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { IntakeError } from '../domain/errors.ts';

export interface TemporalClient {
  readonly client: Client;
  readonly namespace: string;
  close(): Promise<void>;
}

/** By the process's own environment unless another is given. */
export function connectionSettings(
  environment?: NodeJS.ProcessEnv,
): ReturnType<typeof loadClientConnectConfig> {
  if (environment === undefined) return loadClientConnectConfig();
  const given = Object.entries(environment).filter((entry): entry is [string, string] => {
    return entry[1] !== undefined;
  });
  return loadClientConnectConfig({ overrideEnvVars: Object.fromEntries(given) });
}

/** Connects lazily: the process starts while Temporal is away, and says so in its readiness. */
export function createTemporalClient(environment?: NodeJS.ProcessEnv): TemporalClient {
  const { connectionOptions, namespace = 'default' } = connectionSettings(environment);
  const connection = Connection.lazy(connectionOptions);
  return {
    client: new Client({ connection, namespace }),
    namespace,
    close: () => connection.close(),
  };
}

/** Rejects with the names that are missing: an unregistered attribute fails every start. */
export async function requireSearchAttributes(
  { client, namespace }: TemporalClient,
  names: readonly string[],
): Promise<void> {
  const { customAttributes } = await client.connection.operatorService.listSearchAttributes({
    namespace,
  });
  const missing = names.filter((name) => !Object.hasOwn(customAttributes ?? {}, name));
  if (missing.length > 0) {
    throw new IntakeError('CONFIGURATION_INVALID', {
      detail: `search attributes not registered: ${missing.join(', ')}`,
    });
  }
}

/** Connection to Temporal by the SDK's standard environment (`TEMPORAL_*`, TOML profiles): local, own cluster and Cloud alike. */
import {
  Client,
  type ClientInterceptors,
  Connection,
  defaultGrpcRetryOptions,
  makeGrpcRetryInterceptor,
} from '@temporalio/client';
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

export interface ClientSettings {
  /** Where `TEMPORAL_*` are read from, if not from the process's own. */
  readonly environment?: NodeJS.ProcessEnv | undefined;
  readonly interceptors?: ClientInterceptors | undefined;
  /** Told of every call that failed, by its gRPC status; those that the SDK then makes again too. */
  readonly onFailedCall?: (status: number) => void;
}

/** Connects lazily: the process starts while Temporal is away, and says so in its readiness. */
export function createTemporalClient(settings: ClientSettings = {}): TemporalClient {
  const { environment, interceptors = {}, onFailedCall } = settings;
  const { connectionOptions, namespace = 'default' } = connectionSettings(environment);
  const retry = defaultGrpcRetryOptions();
  const connection = Connection.lazy({
    ...connectionOptions,
    interceptors: [
      makeGrpcRetryInterceptor({
        ...retry,
        retryableDecider: (attempt, status) => {
          if (status.code !== 0) onFailedCall?.(status.code);
          return retry.retryableDecider(attempt, status);
        },
      }),
    ],
  });
  return {
    client: new Client({ connection, namespace, interceptors }),
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

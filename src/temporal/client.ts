/** Connection to Temporal by the SDK's standard environment (`TEMPORAL_*`, TOML profiles): local, own cluster and Cloud alike. */
import {
  Client,
  type ClientInterceptors,
  Connection,
  defaultGrpcRetryOptions,
  isGrpcServiceError,
  makeGrpcRetryInterceptor,
} from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { IntakeError } from '../domain/errors.ts';
import { followApiKey } from './api-key.ts';

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
}

export interface TemporalClientOptions extends ClientSettings {
  readonly dataConverter: DataConverter;
  /** Of the settings, which are read again for a new API key. */
  readonly onFault: (error: unknown) => void;
  /** Told of every call that failed, by its gRPC status; those that the SDK then makes again too. */
  readonly onFailedCall?: (status: number) => void;
}

/** Connects lazily: the process starts while Temporal is away, and says so in its readiness. */
export function createTemporalClient(settings: TemporalClientOptions): TemporalClient {
  const { environment, interceptors = {}, dataConverter, onFault, onFailedCall } = settings;
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
  const unfollow = followApiKey({
    read: () => connectionSettings(environment).connectionOptions.apiKey,
    take: (apiKey) => connection.setApiKey(apiKey),
    onFault,
  });
  return {
    client: new Client({ connection, namespace, dataConverter, interceptors }),
    namespace,
    close: async () => {
      unfollow();
      await connection.close();
    },
  };
}

/** Rejects with the names that are missing: an unregistered attribute fails every start. */
export async function requireSearchAttributes(
  temporal: TemporalClient,
  names: readonly string[],
): Promise<void> {
  const registered = await registeredAttributes(temporal);
  const missing = names.filter((name) => !registered.includes(name));
  if (missing.length > 0) {
    throw new IntakeError('CONFIGURATION_INVALID', {
      detail: `search attributes not registered: ${missing.join(', ')}`,
    });
  }
}

/** PERMISSION_DENIED, UNIMPLEMENTED, UNAUTHENTICATED. */
const notForUs: readonly unknown[] = [7, 12, 16];

/** Temporal Cloud keeps the operator's service to itself; what it calls a namespace's attributes it tells everybody. */
async function registeredAttributes({
  client,
  namespace,
}: TemporalClient): Promise<readonly string[]> {
  const { operatorService, workflowService } = client.connection;
  try {
    const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
    return Object.keys(customAttributes ?? {});
  } catch (error) {
    if (!isGrpcServiceError(error) || !notForUs.includes(error.code)) throw error;
  }
  const { config } = await workflowService.describeNamespace({ namespace });
  return Object.values(config?.customSearchAttributeAliases ?? {});
}

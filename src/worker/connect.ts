/** The worker's own connection to Temporal, by the same environment as the client's. */
import { NativeConnection } from '@temporalio/worker';
import type { Logger } from '../observability/logger.ts';
import { followApiKey } from '../temporal/api-key.ts';
import { connectionSettings } from '../temporal/client.ts';

export interface WorkerConnection {
  readonly connection: NativeConnection;
  close(): Promise<void>;
}

export async function connectWorker(logger: Logger): Promise<WorkerConnection> {
  const connection = await NativeConnection.connect(connectionSettings().connectionOptions);
  const unfollow = followApiKey({
    read: () => connectionSettings().connectionOptions.apiKey,
    take: (apiKey) => connection.setApiKey(apiKey),
    onFault: (error) => logger.warn({ err: error }, 'the API key of Temporal was not read again'),
  });
  return {
    connection,
    close: async () => {
      unfollow();
      await connection.close();
    },
  };
}

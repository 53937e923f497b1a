/** What Temporal's history says of a document's run: by which versions of the workers it was taken up. */
import { Client, Connection } from '@temporalio/client';

export interface RunView {
  /** Build ids of the workers that finished a workflow task of it, each once. */
  versionsOf(documentId: string): Promise<readonly string[]>;
  /** Workflow tasks that failed: a history that does not replay fails one after the other. */
  failedTasks(documentId: string): Promise<number>;
  close(): Promise<void>;
}

export async function createRunView(address: string): Promise<RunView> {
  const connection = await Connection.connect({ address });
  const client = new Client({ connection });
  const events = async (documentId: string) =>
    (await client.workflow.getHandle(`ingest/${documentId}`).fetchHistory()).events ?? [];
  return {
    versionsOf: async (documentId) => {
      const found = (await events(documentId)).flatMap(
        ({ workflowTaskCompletedEventAttributes: completed }) =>
          completed?.deploymentVersion?.buildId ?? [],
      );
      return [...new Set(found)];
    },
    failedTasks: async (documentId) =>
      (await events(documentId)).filter((event) => event.workflowTaskFailedEventAttributes).length,
    close: () => connection.close(),
  };
}

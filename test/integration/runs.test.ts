import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { expect, inject, onTestFinished, test } from 'vitest';
import type { DocumentId } from '../../src/domain/ids.ts';
import { runsOn } from '../support/services.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

/** The SDK alone would wait until its keepalive has noticed, and longer than this test may take. */
test('nobody is kept waiting by a Temporal that does not answer any more', async () => {
  const proxy = await startTcpProxy(inject('temporalAddress'));
  const connection = await Connection.connect({ address: proxy.address });
  onTestFinished(async () => {
    await connection.close();
    await proxy.close();
  });
  const runs = runsOn(new Client({ connection }));
  const documentId = randomUUID() as DocumentId;
  await expect(runs.openRunId(documentId)).resolves.toBeUndefined();
  proxy.cut('answers');
  await expect(runs.openRunId(documentId)).rejects.toMatchObject({
    code: 'SERVICE_UNAVAILABLE',
    detail: 'Temporal did not answer',
  });
});

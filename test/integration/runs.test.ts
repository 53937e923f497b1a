import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { expect, inject, onTestFinished, test } from 'vitest';
import { IntakeError } from '../../src/domain/errors.ts';
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
    detail: 'Temporal did not answer: DEADLINE_EXCEEDED',
  });
});

test('a call that Temporal refuses is a bug of ours, and no outage', async () => {
  const connection = await Connection.connect({ address: inject('temporalAddress') });
  onTestFinished(() => connection.close());
  const runs = runsOn(new Client({ connection, namespace: 'unknown' }));
  const refusal = runs.erase(randomUUID() as DocumentId);
  await expect(refusal).rejects.not.toBeInstanceOf(IntakeError);
  const tooLong = runsOn(new Client({ connection })).erase('x'.repeat(2_000) as DocumentId);
  await expect(tooLong).rejects.not.toBeInstanceOf(IntakeError);
});

/** The two Temporal servers of the tests. Both environments carry a client and a connection for workers. */
import { randomUUID } from 'node:crypto';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { inject } from 'vitest';
import { searchAttributeNames } from '../../src/domain/run.ts';

/** `temporal.api.enums.v1.IndexedValueType` */
const KEYWORD = 2;

/** The run's dev server, in real time; shared, so every test file has its own task queue. End with `teardown()`. */
export function connectToTemporal(): Promise<TestWorkflowEnvironment> {
  return TestWorkflowEnvironment.createFromExistingServer({ address: inject('temporalAddress') });
}

/** A server of its own whose clock skips while a result is awaited. Run its tests one after another; end with `teardown()`. */
export async function startTimeSkipping(): Promise<TestWorkflowEnvironment> {
  const environment = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path: inject('testServerPath') } },
  });
  await environment.connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: Object.fromEntries(
      Object.values(searchAttributeNames).map((name) => [name, KEYWORD]),
    ),
  });
  return environment;
}

export function uniqueTaskQueue(): string {
  return `test-${randomUUID()}`;
}

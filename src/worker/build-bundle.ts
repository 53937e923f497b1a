/** Bundles the workflows ahead of the first start, with and without encoded failures: what an image does once. */
import { encodedFailuresPath } from '../temporal/data-converter.ts';
import { workflowBundle } from './bundle-workflows.ts';

for (const dataConverter of [{}, { failureConverterPath: encodedFailuresPath }]) {
  process.stdout.write(`${await workflowBundle({ dataConverter })}\n`);
}

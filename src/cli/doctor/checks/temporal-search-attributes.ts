/** A search attribute that is not registered fails every start of a run. */

import { IntakeError } from '../../../domain/errors.ts';
import { searchAttributeNames } from '../../../domain/run.ts';
import { requireSearchAttributes } from '../../../temporal/client.ts';
import { reachable } from '../../../temporal/runs.ts';
import { type Check, Ill } from '../check.ts';

const names = Object.values(searchAttributeNames);

export const temporalSearchAttributes: Check = {
  name: 'temporal: search attributes',
  needs: ['temporal: namespace'],
  mend: {
    absent:
      'Register each of them: `temporal operator search-attribute create --type Keyword --name NAME`.',
  },
  run: async ({ temporal }) => {
    try {
      await reachable(temporal.client, () => requireSearchAttributes(temporal, names));
    } catch (error) {
      if (!(error instanceof IntakeError) || error.code !== 'CONFIGURATION_INVALID') throw error;
      throw new Ill('absent', error.detail ?? '');
    }
    return names.join(', ');
  },
};

/** Temporal answers, and has the namespace. */
import { describeNamespace } from '../../../temporal/server-facts.ts';
import type { Check } from '../check.ts';

export const temporalNamespace: Check = {
  name: 'temporal: namespace',
  mend: {
    unavailable:
      'Check TEMPORAL_ADDRESS (and TEMPORAL_TLS, TEMPORAL_API_KEY), and whether the server is up and reached from here.',
    absent: 'Check TEMPORAL_NAMESPACE, or create it: `temporal operator namespace create`.',
    forbidden: 'Check TEMPORAL_API_KEY or the client certificate, and its rights on the namespace.',
  },
  run: async ({ temporal }) => {
    const { retentionDays } = await describeNamespace(temporal);
    return `${temporal.namespace}, closed runs are kept for ${retentionDays} ${retentionDays === 1 ? 'day' : 'days'}`;
  },
};

/** Somebody asks for the tasks of our queue, of both types: else every document stands still. */
import { pollersOf, type QueueType } from '../../../temporal/server-facts.ts';
import { type Check, Ill } from '../check.ts';

const types: readonly QueueType[] = ['workflow', 'activity'];

export const temporalPollers: Check = {
  name: 'temporal: pollers',
  needs: ['temporal: namespace'],
  mend: {
    absent:
      'Start a worker, or give it the TASK_QUEUE, TEMPORAL_NAMESPACE and TEMPORAL_ADDRESS that the API has.',
  },
  run: async ({ temporal, config }) => {
    const counts = await Promise.all(
      types.map(async (type) => {
        const { length } = await pollersOf(temporal, config.TASK_QUEUE, type);
        if (length === 0)
          throw new Ill('absent', `nobody polls ${config.TASK_QUEUE} (${type} tasks)`);
        return `${length} for ${type} tasks`;
      }),
    );
    return `${config.TASK_QUEUE}: ${counts.join(', ')}`;
  },
};

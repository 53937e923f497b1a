/** Reconciliation comes by itself: its schedules are there and not paused. */
import { ScheduleNotFoundError } from '@temporalio/client';
import { reachable } from '../../../temporal/runs.ts';
import { scheduleIds } from '../../../temporal/schedules.ts';
import { type Check, Ill } from '../check.ts';

export const temporalSchedules: Check = {
  name: 'temporal: schedules',
  needs: ['temporal: namespace'],
  mend: {
    absent: 'Restart a worker: it creates them when it starts. Its log says why it could not.',
    paused:
      'Unpause it when the work is done for which it was paused: `temporal schedule toggle --unpause --schedule-id ID`.',
  },
  run: async ({ temporal: { client }, config }) => {
    for (const id of Object.values(scheduleIds(config.TASK_QUEUE))) {
      const { state } = await reachable(client, () =>
        client.schedule.getHandle(id).describe(),
      ).catch((error: unknown) => {
        if (error instanceof ScheduleNotFoundError) throw new Ill('absent', id);
        throw error;
      });
      if (state.paused) throw new Ill('paused', state.note ? `${id}: ${state.note}` : id);
    }
    return 'reconciliation is on';
  },
};

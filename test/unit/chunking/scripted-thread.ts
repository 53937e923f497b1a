/** A thread that does what its job says. */
import { parentPort, threadId } from 'node:worker_threads';

export type ScriptedJob = 'answer' | 'spin' | 'throw' | 'exit';

parentPort?.on('message', (job: ScriptedJob) => {
  if (job === 'throw') throw new RangeError('as told');
  if (job === 'exit') process.exit();
  while (job === 'spin');
  parentPort?.postMessage(threadId);
});

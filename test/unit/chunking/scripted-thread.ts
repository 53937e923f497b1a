/** A thread that does what its job says. */
import { parentPort, threadId } from 'node:worker_threads';

export type ScriptedJob = 'answer' | 'spin' | 'throw' | 'exit';

parentPort?.on('message', (job: ScriptedJob) => {
  switch (job) {
    case 'answer':
      parentPort?.postMessage(threadId);
      break;
    case 'throw':
      throw new RangeError('as told');
    case 'exit':
      process.exit();
      break;
    case 'spin':
      for (;;);
    default:
      job satisfies never;
  }
});

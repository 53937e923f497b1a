/** The bare engine, in a process of its own that is told what to do over IPC. */
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import type { BareAnswer, BareCommand, BareSettings } from './bare/contract.ts';
import type { Side } from './side.ts';

export interface BareSide extends Side {
  readonly pid: number;
  stop(): Promise<void>;
}

export async function startBareSide(settings: BareSettings): Promise<BareSide> {
  const child = fork(join(import.meta.dirname, 'bare', 'main.ts'), {
    env: { ...process.env, BARE_SETTINGS: JSON.stringify(settings) },
    detached: true, // a Ctrl-C reaches only the bench, which then stops everything in order
  });
  const exited = once(child, 'exit');
  const ready = once(child, 'message');
  await Promise.race([ready, exited.then(() => Promise.reject(new Error('bare engine ended')))]);
  const answers = new Map<number, PromiseWithResolvers<void>>();
  child.on('message', ({ id, error }: BareAnswer) => {
    const answer = answers.get(id);
    answers.delete(id);
    if (error === undefined) answer?.resolve();
    else answer?.reject(new Error(error));
  });

  let sent = 0;
  function tell(command: BareCommand['command'], workflowId: string): Promise<void> {
    sent += 1;
    const answer = Promise.withResolvers<void>();
    answers.set(sent, answer);
    child.send({ id: sent, command, workflowId } satisfies BareCommand);
    return answer.promise;
  }

  return {
    name: 'bare',
    pid: child.pid ?? 0,
    async announce() {
      const workflowId = `bare/${randomUUID()}`;
      await tell('start', workflowId);
      return {
        workflowId,
        upload: async () => undefined,
        confirm: () => tell('confirm', workflowId),
      };
    },
    async stop() {
      child.disconnect();
      await exited;
    },
  };
}

/** The laboratory's processes: kept alive by the local stack's supervisor, and killed on demand. */
import type { StateFolder } from '../../src/dev/state-folder.ts';
import { createSupervisor, type Supervisor } from '../../src/dev/supervisor.ts';
import { endsWithUs } from '../../test/support/ends-with-us.ts';

export interface Programs {
  readonly folder: StateFolder;
  readonly supervisor: Supervisor;
  pidOf(name: string): number;
  /** SIGKILL to it and to all that it started; the supervisor starts it again. */
  kill(name: string): void;
}

export function createPrograms(folder: StateFolder): Programs {
  const pids = new Map<string, number>();
  const killed = new Set<string>();
  const pidOf = (name: string) => {
    const pid = pids.get(name);
    if (pid === undefined) throw new Error(`${name} does not run`);
    return pid;
  };
  const supervisor = createSupervisor({
    spawned: (child) => {
      endsWithUs(child);
    },
    died: ({ name, reason }) => {
      if (!killed.delete(name)) console.error(`${name} ${reason}`);
    },
    revived: () => undefined,
  });
  return {
    folder,
    // The supervisor's own name of a service, which two processes of one program do not share.
    supervisor: {
      ...supervisor,
      start: (service) =>
        supervisor.start({
          ...service,
          start: (onSpawn) =>
            service.start((child) => {
              pids.set(service.name, child.pid);
              onSpawn(child);
            }),
        }),
    },
    pidOf,
    kill(name) {
      const pid = pidOf(name);
      killed.add(name);
      process.kill(-pid, 'SIGKILL');
    },
  };
}

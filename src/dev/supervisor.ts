/**
 * Keeps children alive: one that dies is reported at once and started again, within limits; nothing is ever
 * left running as a silent half. Stops them in a given order.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { IntakeError } from '../domain/errors.ts';
import { type Child, describeExit } from './child-process.ts';
import { judgeDeath, type Verdict } from './restart-policy.ts';

export interface Service<Started extends Child = Child> {
  readonly name: string;
  /** Resolves when the child is ready, and tells of it as soon as it has a pid. */
  start(onSpawn: (child: Child) => void): Promise<Started>;
}

export interface Death {
  readonly name: string;
  /** How it ended, and its last lines. */
  readonly reason: string;
  readonly verdict: Verdict;
}

export interface SupervisorListener {
  spawned(child: Child): void;
  died(death: Death): void;
  revived(name: string): void;
}

export interface Supervisor {
  /** Starts a service and keeps it alive from then on. A failure of this first start is the caller's. */
  start<Started extends Child>(service: Service<Started>): Promise<Started>;
  /** Resolves with the name of a child that died too often. */
  readonly gaveUp: Promise<string>;
  /** Stops group after group, those of one group together. */
  stop(order: readonly (readonly string[])[]): Promise<void>;
  /** Ends everything at once, at the price of what was in progress. */
  kill(): Promise<void>;
}

const SHOWN_LINES = 10;
const SHOWN_COLUMNS = 300;

export function createSupervisor(
  listener: SupervisorListener,
  judge: (deathsAtMs: readonly number[]) => Verdict = judgeDeath,
): Supervisor {
  const children = new Map<string, Child>();
  const launches = new Set<Promise<unknown>>();
  const stopping = new AbortController();
  const gaveUp = Promise.withResolvers<string>();

  /** A launch under way when the stop comes still ends with its child gone. */
  async function launch<Started extends Child>(service: Service<Started>): Promise<Started> {
    stopping.signal.throwIfAborted();
    const launched = service.start((child) => {
      children.set(service.name, child);
      listener.spawned(child);
      if (stopping.signal.aborted) void child.stop();
    });
    launches.add(launched);
    try {
      return await launched;
    } finally {
      launches.delete(launched);
    }
  }

  /** Its end as words; `undefined` when we ended it. */
  async function untilDeath(child: Child): Promise<string | undefined> {
    const exit = await child.exited;
    if (stopping.signal.aborted) return undefined;
    const shown = exit.lastLines.slice(-SHOWN_LINES).map((line) => line.slice(0, SHOWN_COLUMNS));
    return [`${describeExit(exit)}. The end of ${child.logFile}:`, ...shown].join('\n');
  }

  async function keepAlive(service: Service, first: Child): Promise<void> {
    const deathsAtMs: number[] = [];
    let reason = await untilDeath(first);
    while (reason !== undefined) {
      deathsAtMs.push(Date.now());
      const verdict = judge(deathsAtMs);
      listener.died({ name: service.name, reason, verdict });
      if (verdict.action === 'give-up') return gaveUp.resolve(service.name);
      await delay(verdict.delayMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return;
      reason = await revive(service);
    }
  }

  /** Starts it again and stays with it; resolves with the reason of the next death. */
  async function revive(service: Service): Promise<string | undefined> {
    try {
      const child = await launch(service);
      if (!stopping.signal.aborted) listener.revived(service.name);
      return await untilDeath(child);
    } catch (error) {
      if (stopping.signal.aborted) return undefined;
      return `could not be started again: ${describe(error)}`;
    }
  }

  async function stopAll(
    stop: (child: Child) => Promise<unknown>,
    order: readonly (readonly string[])[],
  ) {
    stopping.abort();
    for (const group of order) {
      const members = group
        .map((name) => children.get(name))
        .filter((child) => child !== undefined);
      await Promise.all(members.map(stop));
    }
    await Promise.allSettled(launches);
  }

  return {
    async start(service) {
      const child = await launch(service);
      void keepAlive(service, child);
      return child;
    },
    gaveUp: gaveUp.promise,
    stop: (order) => stopAll((child) => child.stop(), order),
    kill: () =>
      stopAll((child) => child.stop({ signal: 'SIGKILL', timeoutMs: 0 }), [[...children.keys()]]),
  };
}

function describe(error: unknown): string {
  if (error instanceof IntakeError) return error.detail ?? error.message;
  return error instanceof Error ? error.message : 'unknown';
}

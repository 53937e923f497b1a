/** Limits how much runs at once in this process, first come first served. Whoever gives up leaves the queue. */

export interface Permits {
  use<Result>(work: () => Promise<Result>, signal: AbortSignal): Promise<Result>;
}

export function createPermits(total: number): Permits {
  let free = total;
  const queue: (() => void)[] = [];

  const queued = (signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      const admit = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        queue.splice(queue.indexOf(admit), 1);
        reject(signal.reason);
      };
      queue.push(admit);
      signal.addEventListener('abort', leave, { once: true });
    });

  return {
    async use(work, signal) {
      signal.throwIfAborted();
      if (free > 0) free -= 1;
      else await queued(signal);
      try {
        return await work();
      } finally {
        const next = queue.shift();
        if (next) next();
        else free += 1;
      }
    },
  };
}

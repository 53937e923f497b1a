/** Limits how much runs at once, first come first served. Taking every permit means to run alone. */

export interface Permits {
  /** Runs `work` when one permit is free, or all of them with `alone`. */
  use<Result>(work: () => Promise<Result>, options?: { readonly alone: boolean }): Promise<Result>;
}

export function createPermits(total: number): Permits {
  let free = total;
  const waiting: { readonly wanted: number; readonly start: () => void }[] = [];

  function admit(): void {
    for (let next = waiting[0]; next !== undefined && next.wanted <= free; next = waiting[0]) {
      waiting.shift();
      free -= next.wanted;
      next.start();
    }
  }

  return {
    async use(work, { alone } = { alone: false }) {
      const wanted = alone ? total : 1;
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ wanted, start: resolve });
      admit();
      await promise;
      try {
        return await work();
      } finally {
        free += wanted;
        admit();
      }
    },
  };
}

/** What tests, the laboratory and chaos runs say to a running stand-in's fault script. */
import type { FaultRule, Ledger } from './fault-rules.ts';

export interface FaultClient {
  add(...rules: readonly FaultRule[]): Promise<void>;
  clear(): Promise<void>;
  ledger(): Promise<Ledger>;
  clearLedger(): Promise<void>;
}

/** `url` is the stand-in's base URL as its start function gave it. */
export function createFaultClient(url: string): FaultClient {
  const call = async (method: string, path: string, body?: unknown): Promise<Response> => {
    const response = await fetch(new URL(path, url), {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    if (!response.ok) {
      throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    }
    return response;
  };
  return {
    async add(...rules) {
      await call('POST', '/__faults', { rules });
    },
    async clear() {
      await call('DELETE', '/__faults');
    },
    async ledger() {
      const response = await call('GET', '/__ledger');
      return (await response.json()) as Ledger;
    },
    async clearLedger() {
      await call('DELETE', '/__ledger');
    },
  };
}

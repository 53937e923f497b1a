/**
 * Ports of the local stack: one block per clone, remembered, so that URLs survive a restart and two clones
 * do not meet. The range lies below the systems' own ephemeral ports, which any outgoing connection may hold.
 */
import { randomInt } from 'node:crypto';
import getPort from 'get-port';
import { z } from 'zod';
import { IntakeError } from '../domain/errors.ts';
import { readJson, writePrivately } from './state-folder.ts';

const portNames = [
  'api',
  'temporalUi',
  'temporal',
  'temporalHttp',
  'postgres',
  'storage',
  'parser',
  'embedding',
  'apiMetrics',
  'workerMetrics',
] as const;
export type PortName = (typeof portNames)[number];
export type Ports = Readonly<Record<PortName, number>>;

const FIRST = 20_000;
const LAST = 31_990;
const BLOCK = 10;

const portNumber = z.number().int().min(1).max(65_535);
const remembered = z.object({ ports: z.record(z.enum(portNames), portNumber) });

/** Last start's ports where they are still free. `apiPort` is one that was asked for: that or nothing. */
export async function choosePorts(file: string, apiPort?: number): Promise<Ports> {
  const wished = readJson(file, remembered)?.ports ?? freshBlock();
  const taken = new Set<number>();
  const chosen = { ...wished };
  for (const name of portNames) {
    const asked = name === 'api' ? apiPort : undefined;
    const found = await getPort({ port: [asked ?? wished[name], ...spares()], exclude: taken });
    if (asked !== undefined && found !== asked) throw portRefused(asked);
    taken.add(found);
    chosen[name] = found;
  }
  // A port asked for once is no habit: the next start without it returns to its own.
  const kept = apiPort === undefined ? chosen : { ...chosen, api: wished.api };
  writePrivately(file, `${JSON.stringify({ ports: kept }, undefined, 2)}\n`);
  return chosen;
}

function freshBlock(): Ports {
  const first = randomInt(FIRST / BLOCK, LAST / BLOCK) * BLOCK;
  const numbered = portNames.map((name, index) => [name, first + index]);
  return remembered.shape.ports.parse(Object.fromEntries(numbered));
}

function spares(): number[] {
  return Array.from({ length: 20 }, () => randomInt(FIRST, LAST + BLOCK));
}

function portRefused(port: number): IntakeError {
  return new IntakeError('CONFIGURATION_INVALID', {
    detail: `API_PORT: port ${port} is taken by another program, or may not be opened. Ask for another one, or leave it out.`,
  });
}

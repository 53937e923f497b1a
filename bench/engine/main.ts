/** `node bench/engine/main.ts`: Intake's whole road and the bare engine side by side, in one run on one server. */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { withoutProxy } from '../../src/dev/stack-plan.ts';
import { stateFolder } from '../../src/dev/state-folder.ts';
import { listenForStop } from '../../src/dev/stop-signals.ts';
import { startBareSide } from './bare-side.ts';
import { type Figures, measure } from './figures.ts';
import { type IntakeSide, startIntakeSide } from './intake-side.ts';
import { tableOf } from './report.ts';

const PARSER_DELAY_MS = 200;
const EMBEDDER_DELAY_MS = 30;

const { values } = parseArgs({
  options: {
    documents: { type: 'string', default: '100' },
    burst: { type: 'string', default: '500' },
    rounds: { type: 'string', default: '2' },
    waiting: { type: 'string', default: '2000' },
    dressed: { type: 'boolean', default: false },
    profile: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const counts = {
  documents: Number(values.documents),
  burst: Number(values.burst),
  rounds: Number(values.rounds),
  waiting: Number(values.waiting),
};

Object.assign(process.env, withoutProxy(process.env));
const root = await mkdtemp(join(tmpdir(), 'intake-bench-'));
const stopAsked = listenForStop().first.then(() => undefined);
const loadBefore = loadavg()[0];
try {
  const figures = await compare();
  if (figures !== undefined) print(figures);
} finally {
  await rm(root, { recursive: true, force: true });
}

/** `undefined` when somebody stopped it. */
async function compare(): Promise<Figures | undefined> {
  const intake = await startIntakeSide({
    folder: stateFolder(join(root, 'intake')),
    parserDelayMs: PARSER_DELAY_MS,
    embedderDelayMs: EMBEDDER_DELAY_MS,
    profileFolder: values.profile === undefined ? undefined : resolve(values.profile),
  });
  try {
    return await compareWith(intake);
  } finally {
    await intake.stop();
  }
}

async function compareWith(intake: IntakeSide): Promise<Figures | undefined> {
  const { temporalAddress } = intake;
  const bare = await startBareSide({
    temporalAddress,
    taskQueue: 'bare',
    parserDelayMs: PARSER_DELAY_MS,
    dressed: values.dressed,
  });
  const connection = await Connection.connect({ address: temporalAddress });
  try {
    const plan = {
      ...counts,
      parserMs: PARSER_DELAY_MS,
      say: (words: string) => console.error(words),
    };
    const measured = measure(new Client({ connection }), { intake, bare }, plan);
    return await Promise.race([measured, stopAsked]);
  } finally {
    await connection.close();
    await bare.stop();
  }
}

function print(figures: Figures): void {
  const machine = {
    cores: availableParallelism(),
    load: [loadBefore, loadavg()[0]],
    node: process.version,
  };
  if (values.json)
    console.log(JSON.stringify({ ...counts, dressed: values.dressed, machine, ...figures }));
  else {
    console.log(tableOf(figures, counts.waiting));
    console.log(
      `Node ${machine.node}, ${machine.cores} cores, load ${machine.load.map((load) => load?.toFixed(1)).join(' before, ')} after.`,
    );
  }
}
